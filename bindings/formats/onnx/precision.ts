/**
 * float16 and float64: operators that compute on them do so in float32. Results are rounded to the type where onnxruntime rounds
 * them: for whoever is no operator of float32 to it, and for outputs.
 */
import type { TensorId } from "../../graph.ts";
import type { DType } from "../../tensor.ts";
import type { Builder } from "./builder.ts";
import { type Inputs, type Twins, twinsLater, type Value } from "./layout.ts";
import type { NodeProto } from "./messages.ts";

/** Operators whose results have their input's type, whichever it is. */
const MOVES = /^(Concat|Expand|Flatten|Gather(Elements|ND)?|Identity|Reshape|Slice|Split|(Uns|S)queeze|Transpose)$/;

/** Others that take any type as it is, or say the type of their result. */
const ANY_TYPE =
  /^(BitCast|Cast(Like)?|ConcatFromS.*|Constant(OfShape)?|Dropout|If|Loop|Optional.*|ReverseS.*|Scan|Sequence.*|Shape|Size|SplitToS.*|TensorScatter|Tile)$/;

/** Operators that onnxruntime computes on float16 itself, beside those of any type. */
const HALF =
  /^(Clip|(Deq|Q)uantizeLinear|Group.*Attention|(Skip)?(Simplified)?LayerNorm.*|MatMulNBits|Max|Min|Mod|RMSNorm.*|RotaryE.*|Round|Scatter(El|ND).*|Sign)$/;

/** Those of ai.onnx.ml say the type of their results, too. */
const takesAny = ({ operator, domain }: NodeProto) =>
  domain === "" ? MOVES.test(operator) || ANY_TYPE.test(operator) : domain === "ai.onnx.ml";
/** What a graph says of its values. */
interface Names {
  readonly shared: { readonly b: Builder; readonly opsets: ReadonlyMap<string, number> };
  readers(name: string): readonly NodeProto[];
  isOutput(name: string): boolean;
  isComputed(name: string): boolean;
}

/** From opset 18 on some operators are made of others: Relu of Max, HardSigmoid ends in Min and Max. */
const isMade = ({ opsets }: Names["shared"]) => (opsets.get("") ?? 1) > 17;

const isHalf = (node: NodeProto, { shared }: Names) => {
  const { operator } = node;
  if (takesAny(node)) return !/^(Dro|Rev|Til)/.test(operator);
  // before opset 12 bounds are of float32
  const isLater = (shared.opsets.get("") ?? 1) > 11 || !/^(Clip|Max|Min)/.test(operator);
  return (
    (HALF.test(operator) && isLater) ||
    (operator === "Attention" && node.domain === "") ||
    (operator === "Relu" && isMade(shared))
  );
};

const isNarrow = (dtype: DType | undefined): dtype is "float16" | "float64" =>
  dtype === "float16" || dtype === "float64";

/** True between nodes of float32, where onnxruntime computes in float32 what it could in float16. */
function isBetween({ operator, outputs }: NodeProto, inputs: Inputs, scope: Names): boolean {
  // of lists it looks at the first alone
  const halves = inputs.slice(0, /^(Con|Ma|Mi)/.test(operator) ? 1 : 9).filter((value) => value?.dtype === "float16");
  // what comes from outside of the graph comes from no node
  return (
    inputs.some((value) => value && scope.isComputed(value.name)) &&
    halves.every((value) => value && ((value.wide && !value.isCast) || !scope.isComputed(value.name))) &&
    // of a DequantizeLinear every reader has one of its own
    (operator === "DequantizeLinear" ||
      (outputs.every((name) => !scope.isOutput(name)) &&
        // of as many as there are it looks at the first alone, too
        outputs
          .slice(0, operator === "Split" ? 1 : 9)
          .every((name) => scope.readers(name).every((reader) => !isHalf(reader, scope)))))
  );
}

/** A cast of the model's, beside which no other reader sees what was not rounded. */
const isWidening = ({ operator, attributes }: NodeProto) =>
  operator === "Cast" && /^(1|11)$/.test(`${attributes.get("to")?.int}`);

const castTo = (b: Builder, where: string, id: TensorId, dtype: DType) =>
  b.add("cast", where, [id], {}, [{ dtype }])[0] as TensorId;

/** Both orders of a value in another type. */
function castTwins(b: Builder, where: string, twins: Twins, dtype: DType): Twins {
  const one = (id: TensorId) => castTo(b, where, id, dtype);
  if (twins.plain !== undefined) return { plain: one(twins.plain) };
  return twins.last === undefined ? {} : { last: one(twins.last) };
}

/** A node's inputs, as float32 where it computes on narrow ones, and what types its results have. */
interface Typing {
  readonly inputs: Inputs;
  typed(result: Result): Pick<Value, "dtype" | "twins" | "wide" | "isCast">;
  rounded(id: TensorId): TensorId;
}

type Result = Pick<Value, "twins"> & { readonly dtype?: DType };

export function typingOf(node: NodeProto, where: string, given: Inputs, scope: Names): Typing {
  const { b } = scope.shared;
  const { operator } = node;
  const takes = takesAny(node);
  const isCast = takes && operator === "Cast";
  const narrow = given.map((value) => value?.dtype).find(isNarrow);
  const isRounded =
    narrow === "float16" &&
    isHalf(node, scope) &&
    (/^Q/.test(operator) || ANY_TYPE.test(operator) || !isBetween(node, given, scope));
  const isWidened = !takes || (narrow === "float16" && !isRounded);
  const isApart = operator === "DequantizeLinear";
  const isEnd = operator === "HardSigmoid" && isMade(scope.shared);
  // a cast reads what was not rounded yet, but by a cast
  const isUnrounded = (value: Value) => isCast && value.wide && value.isCast !== true;
  // one to the same type goes away, with its rounding, where casts alone read it
  const isGone = (name = "") =>
    !scope.isOutput(name) &&
    scope.readers(name).every((reader) => reader.operator === "Cast" || !isHalf(reader, scope));
  const inputs = given.map((value) => {
    if (value === undefined || !isNarrow(value.dtype) || !(isWidened || isUnrounded(value))) return value;
    const twins = (!(isWidened && isRounded) && value.wide) || castTwins(b, where, value.twins, "float32");
    return { ...value, dtype: "float32", twins, wide: undefined } as const;
  });
  return {
    inputs,
    rounded: (id) => (isRounded ? castTo(b, where, castTo(b, where, id, "float16"), "float32") : id),
    typed({ twins, dtype = typeOfTwins(b, twins) }) {
      if (narrow && isWidened && typeOfTwins(b, twins) === "float32") {
        const later = twinsLater(() => castTwins(b, where, twins, narrow));
        return { dtype: narrow, twins: later, wide: isRounded || isEnd ? undefined : twins, isCast: isApart };
      }
      if (isCast && narrow === "float16" && dtype === narrow) {
        const { wide, isCast: before } = (isGone(node.outputs[0]) && given[0]) || {};
        return { dtype, twins, wide, isCast: before || "same" };
      }
      const [x] = inputs;
      const isNumber = isCast && x && isNarrow(dtype) && /^(float|int)/.test(x.dtype);
      const floats = (of: Value) =>
        of.dtype === "float32" ? of.twins : twinsLater(() => castTwins(b, where, of.twins, "float32"));
      const wide = isNumber && !scope.readers(node.outputs[0] ?? "").some(isWidening) ? floats(x) : undefined;
      return { dtype, twins, wide, isCast };
    },
  };
}

function typeOfTwins(b: Builder, { plain: id, last }: Twins): DType {
  const either = id ?? last;
  return either === undefined ? "float32" : b.tensor(either).dtype;
}
