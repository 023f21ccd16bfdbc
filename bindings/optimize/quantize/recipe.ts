/** Settings as AI Edge Quantizer's recipes state them: a JSON list of rules, the last of those that match a layer wins. */
import { chosen, ensure, Pint8Error } from "../../errors.ts";
import { requireGraph, requireList, requireText } from "../../given.ts";
import { type Graph, tensorOf } from "../../graph.ts";
import { layersOf } from "../layers.ts";
import { prepareFloat } from "../prepare/index.ts";
import type { ActivationType, LayerSetting, QuantizeOptions, WeightType } from "./options.ts";
import type { QuantizeResult } from "./quantize.ts";

/** Names of layers' operators, by kind. */
const OPERATIONS: { readonly [kind: string]: string } = {
  conv2d: "CONV_2D",
  depthwiseConv2d: "DEPTHWISE_CONV_2D",
  fullyConnected: "FULLY_CONNECTED",
  transposeConv: "CONV_2D_TRANSPOSE",
};
const FLOAT: LayerSetting = { weights: "float32", activations: "float32" };

const RECIPE_HINT = "AI Edge Quantizer writes such files, and --save-recipe or writeRecipe.";

interface TensorConfig {
  readonly num_bits?: number;
  readonly dtype?: string;
  readonly granularity?: string;
  readonly channel_wise?: boolean;
}
interface Rule {
  readonly regex: string;
  readonly operation: string;
  readonly algorithm_key?: string;
  readonly op_config?: {
    readonly activation_tensor_config?: TensorConfig | null;
    readonly weight_tensor_config?: TensorConfig | null;
  };
}

/**
 * Options that quantize the graph as the recipe says: regular expressions are searched in the names of layers' outputs. Weights of
 * floats computed explicitly are read as dynamic range. Rules for other operators count where they are for all (`*`).
 *
 * Errors: INVALID_OPTION for what is no recipe, matches no layer, or asks for bits that there are none of.
 */
export function readRecipe(
  text: string,
  graph: Graph,
): Pick<QuantizeOptions, "activations" | "layers" | "scales" | "weights"> {
  requireText("readRecipe", text);
  requireGraph("readRecipe, graph", graph);
  const rules = parse(text);
  const float = prepareFloat(graph);
  let matched = 0;
  const layers = layersOf(float).map((layer): readonly [string, LayerSetting] => {
    const output = tensorOf(float, layer.y).name;
    const own = rules.filter(
      ({ rule, matches }) =>
        (rule.operation === "*" || rule.operation === OPERATIONS[layer.node.kind]) && matches.test(output),
    );
    if (own.length > 0) matched++;
    return [layer.name, own.at(-1)?.setting ?? FLOAT];
  });
  ensure(matched > 0, "INVALID_OPTION", () => ({
    where: "recipe",
    expected: "a rule that matches a layer of this network",
    received: rules.length === 0 ? "no rules" : `none of ${rules.length} does`,
    hint: `Layers are named by their outputs: ${layersOf(float)[0]?.name ?? "there are none"}.`,
  }));
  const all = rules.filter(({ rule }) => rule.operation === "*");
  const weights = rules.flatMap(({ rule }) => rule.op_config?.weight_tensor_config ?? []);
  const perTensor = weights.every((each) => each.granularity === "TENSORWISE" || each.channel_wise === false);
  return {
    activations: all.at(-1)?.setting.activations ?? layers[0]?.[1].activations ?? "float32",
    layers: Object.fromEntries(layers),
    // Of what is no layer, recurrent operators and what loops run, too.
    weights: all.at(-1)?.setting.weights ?? "float32",
    scales: perTensor && weights.length > 0 ? "tensor" : "channel",
  };
}

function parse(text: string) {
  const broken = (received: string, cause?: unknown) =>
    new Pint8Error(
      "INVALID_OPTION",
      { where: "recipe", expected: "a JSON list of rules with regex and operation", received, hint: RECIPE_HINT },
      { cause },
    );
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    throw broken(text.slice(0, 40), cause);
  }
  if (!Array.isArray(list)) throw broken(typeof list);
  return list.map((each: unknown, i) => {
    const rule = each as Rule;
    if (typeof rule?.regex !== "string" || typeof rule.operation !== "string") throw broken(`rule ${i} without them`);
    try {
      return { rule, matches: new RegExp(rule.regex), setting: settingOf(rule, i) };
    } catch (cause) {
      if (cause instanceof Pint8Error) throw cause;
      throw broken(`regex ${rule.regex}`, cause);
    }
  });
}

function settingOf({ algorithm_key = "", op_config = {} }: Rule, i: number): LayerSetting {
  if (algorithm_key === "no_quantize") return FLOAT;
  const { weight_tensor_config: w, activation_tensor_config: x } = op_config;
  const weights = typeOf(w, "weight", i);
  const activations = x ? typeOf(x, "activation", i) : "float32";
  const known = activations === "int8" || activations === "int16" || activations === "float32";
  ensure(known && weights !== "int16", "INVALID_OPTION", () => ({
    where: `recipe, rule ${i}`,
    expected: "weights of 4 or 8 bits, activations of 8 or 16",
    received: `${weights} weights, ${activations} activations`,
  }));
  return { weights: weights as WeightType, activations: activations as ActivationType };
}

function typeOf(config: TensorConfig | null | undefined, what: string, i: number): WeightType | ActivationType {
  if (!config) return "float32";
  const { num_bits: bits, dtype = "INT" } = config;
  const type = `${dtype === "FLOAT" ? "float" : "int"}${bits}`;
  return chosen(`recipe, rule ${i}, ${what}s`, type, ["int4", "int8", "int16", "float16", "float32"]);
}

/** The settings of a quantized network as a recipe, one rule a layer. */
export function writeRecipe(result: Pick<QuantizeResult, "layers" | "activations">): string {
  requireList("writeRecipe", Object(result).layers, "what quantize gave: { layers, activations }");
  const { layers, activations } = result;
  const rest = ruleOf(".*", "*", { weights: "int8", activations });
  const own = layers.map(({ output, kind, weights, activations: type }) =>
    ruleOf(`^${output.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}$`, OPERATIONS[kind] ?? "*", {
      weights,
      activations: type,
    }),
  );
  return `${JSON.stringify([rest, ...own], undefined, 2)}\n`;
}

function ruleOf(regex: string, operation: string, { weights, activations }: LayerSetting) {
  if (weights === "float32") return { regex, operation, algorithm_key: "no_quantize" };
  const config = (bits: number, dtype: string, symmetric: true | false, granularity: string) => ({
    num_bits: bits,
    symmetric,
    granularity,
    dtype,
    block_size: 0,
  });
  const [, dtype = "", bits = "8"] = /^([a-z]+)(\d+)$/.exec(weights) ?? [];
  const integer = dtype === "int";
  const width = activations === "int16" ? 16 : 8;
  return {
    regex,
    operation,
    algorithm_key: integer ? "min_max_uniform_quantize" : "float_casting",
    op_config: {
      ...(activations === "float32"
        ? {}
        : { activation_tensor_config: config(width, "INT", width === 16, "TENSORWISE") }),
      weight_tensor_config: integer
        ? config(Number(bits), "INT", true, "CHANNELWISE")
        : config(Number(bits), "FLOAT", true, "TENSORWISE"),
      compute_precision: integer ? "INTEGER" : "FLOAT",
      explicit_dequantize: !integer,
      skip_checks: false,
    },
  };
}
