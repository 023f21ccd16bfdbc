/** The options of `pint8 quantize`, apart from the command itself, which is loaded when it is asked for. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LayerSetting } from "../public/optimize.ts";
import { addDataOptions } from "./dataOptions.ts";
import { encodeOption, jsonOption, shapeOption, signatureOption } from "./options.ts";

/** Settings of layers, by what they are or are called. */
export type Layers = Readonly<Record<string, Partial<LayerSetting>>>;

/** The options of `pint8 quantize`. */
export function addQuantizeOptions(command: Command): Command {
  return addDataOptions(command, "optional")
    .requiredOption("-o, --output <file>", "the quantized model to write, .tflite or .onnx by its name")
    .addOption(new Option("--weights <type>", "int8 when absent").choices(["int8", "int4", "float16", "float32"]))
    .addOption(
      new Option("--activations <type>", "int8 when absent; float32, or no data: dynamic range").choices([
        "int8",
        "int16",
        "float32",
      ]),
    )
    .option("--per-tensor", "one scale for each tensor of weights, for readers that know no others")
    .addOption(new Option("--io <type>", "inputs and outputs").choices(["float32", "int8", "uint8", "int16"]))
    .option(
      "--layer <name=setting>",
      "another setting of some layers: *, first, depthwise, pointwise, conv, dense or the name of a layer's weights, as in dense=int4, first=float32 or dense=int8/int16",
      addLayer,
    )
    .addOption(
      new Option(
        "--rounding <how>",
        "gptq when absent for int4, nearest for int8; adaround is learned, and slow",
      ).choices(["nearest", "gptq", "adaround"]),
    )
    .addOption(
      new Option(
        "--ranges <how>",
        "of activations: as measured, or of least squared error where the outputs get better by it; search when absent for int8",
      ).choices(["minmax", "search"]),
    )
    .addOption(new Option("--correction <what>", "of what rounding does to means").choices(["bias", "none"]))
    .option(
      "--max-drop <points>",
      "most points of accuracy that are lost: layers get more bits until it holds",
      amount("points", "0.5"),
    )
    .option("--size <percent>", "most of the model's file, as in 20%: layers get int4 until it holds", share)
    .option("--latency <percent>", "most of the model's time", share)
    .addOption(encodeOption())
    .option("--recipe <file.json>", "settings of layers as AI Edge Quantizer's recipes state them")
    .option("--save-recipe <file.json>", "write the settings of layers so")
    .addOption(signatureOption())
    .addOption(shapeOption())
    .addOption(jsonOption());
}

/** A number from 0, of what and for example: `0.5`, `60%`. */
function amount(what: string, example: string): (text: string) => number {
  return (text) => {
    const value = Number(text.replace(/%$/, ""));
    if (!/^\d*\.?\d+%?$/.test(text) || value > 1000)
      throw new InvalidArgumentError(`Expected ${what} from 0 to 1000, as in ${example}.`);
    return value;
  };
}

const share = amount("per cent", "60%");

const WEIGHTS = ["int8", "int4", "float16", "float32"] as const;
const ACTIVATIONS = ["int8", "int16", "float32"] as const;

/** `name=weights` or `name=weights/activations`, beside those that were given before; `=` may be part of a name. */
function addLayer(text: string, before: Layers = {}): Layers {
  const at = text.lastIndexOf("=");
  const [first, second] = text.slice(at + 1).split("/");
  const weights = WEIGHTS.find((each) => each === first);
  const activations = ACTIVATIONS.find((each) => each === second);
  if (at <= 0 || weights === undefined || (second !== undefined && activations === undefined))
    throw new InvalidArgumentError("Expected a layer and its setting, for example dense=int4 or dense=int8/int16.");
  return { ...before, [text.slice(0, at)]: { weights, ...(activations === undefined ? {} : { activations }) } };
}
