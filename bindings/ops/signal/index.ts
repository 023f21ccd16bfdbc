/** The operators of this family, each by its kind. */
export { random } from "./random.ts";
export { rfft2d } from "./rfft2d.ts";
export { signalAutoScale } from "./signalAutoScale.ts";
export { signalDelay } from "./signalDelay.ts";
export { signalEnergy } from "./signalEnergy.ts";
export { signalFilterBank } from "./signalFilterBank.ts";
export { signalFramer } from "./signalFramer.ts";
export { signalGain } from "./signalGain.ts";
export { signalInverse } from "./signalInverse.ts";
export { signalLog } from "./signalLog.ts";
export { signalOverlapAdd } from "./signalOverlapAdd.ts";
export { signalRoot } from "./signalRoot.ts";
export { signalStacker } from "./signalStacker.ts";
export { signalSubtraction } from "./signalSubtraction.ts";
export { signalTransform } from "./signalTransform.ts";
export { signalWindow } from "./signalWindow.ts";
