import { type Inspection, inspectModel, type OperatorReport } from "../../public/index.ts";
import { type Port, portText } from "../../values/port.ts";
import { readExternalData, readModelBytes } from "../files.ts";
import { type EngineOptions, type ReadingOptions, readingOf } from "../options.ts";
import type { Streams } from "../streams.ts";
import { count, percent, table } from "../text.ts";

interface InspectOptions extends ReadingOptions, Pick<EngineOptions, "module"> {
  readonly json?: true;
}
type TensorReport = OperatorReport["inputs"][number];

/** Prints what a model holds, and what each operator runs on, without running it. */
export async function inspect(model: string, options: InspectOptions, { out, width }: Streams): Promise<void> {
  const bytes = await readModelBytes(model);
  const inspection = await inspectModel(bytes, {
    externalData: readExternalData(model, bytes),
    module: options.module,
    ...readingOf(options),
  });
  if (options.json) out(JSON.stringify({ model, ...inspection }));
  else for (const line of inspectionLines(inspection, width)) out(line);
}

function inspectionLines(
  { inputs, outputs, module, operators, totals, refusal, signatures }: Inspection,
  width: number | undefined,
): readonly string[] {
  const { macs, weightBytes, sparsity, arenaBytes, imageBytes, scratchBytes, memoryBytes } = totals;
  return [
    ...(signatures.length > 1 ? [`signatures ${signatures.join(", ")}: --signature chooses one`] : []),
    ...inputs.map((port) => `input   ${portLine(port)}`),
    ...outputs.map((port) => `output  ${portLine(port)}`),
    `module  ${module}`,
    ...(refusal === "" ? [] : [`refused ${refusal}`]),
    `work    ${count(macs)} MACs, ${count(operators.length)} operators`,
    `weights ${count(weightBytes)} bytes, ${percent(sparsity)} of int8 weights zero`,
    `memory  ${count(memoryBytes)} bytes: arena ${count(arenaBytes)}, image ${count(imageBytes)}, scratch ${count(scratchBytes)}`,
    "",
    ...table(
      [
        ["operator", "inputs", "outputs", "MACs", "weight bytes", "zeros", "runs here", "kernel"],
        ...operators.map((operator) => [
          operator.where,
          inputText(operator),
          tensors(operator.outputs),
          count(operator.macs),
          count(operator.weightBytes),
          operator.sparsity === 0 ? "" : percent(operator.sparsity),
          operator.refusal === "" ? "yes" : "no",
          operator.refusal || operator.kernels.join(", ") || "none",
        ]),
      ],
      [3, 4, 5],
      width,
    ),
  ];
}

function portLine(port: Port): string {
  return port.scale === 0 ? portText(port) : `${portText(port)} scale ${port.scale} zero point ${port.zeroPoint}`;
}

/** Computed inputs, then the weights: the first constant of two or more dimensions. */
function inputText({ inputs }: OperatorReport): string {
  const weights = inputs.find(({ constant, shape }) => constant && shape.length >= 2);
  const computed = tensors(inputs.filter(({ constant }) => !constant));
  return weights === undefined ? computed : `${computed} × ${tensors([weights])}`;
}

function tensors(list: readonly TensorReport[]): string {
  return list.map((tensor) => `${tensor.dtype}[${tensor.shape.join(",")}]${quantization(tensor)}`).join(" ");
}

/** `0.02353:-128` is scale and zero point. */
function quantization({ scale, zeroPoint }: TensorReport): string {
  if (scale.length === 0) return "";
  if (scale.length > 1) return " per channel";
  return ` ${(scale[0] as number).toPrecision(4)}:${zeroPoint[0]}`;
}
