/** What SPACE_TO_DEPTH and DEPTH_TO_SPACE share: blocks of pixels against channels. */
import { reorder, type View, whole } from "../../primitives/move/view.ts";
import { dimensions, listText } from "../../tensor.ts";
import { constrain, inputOf, requireImage, requireTensors } from "../constraints.ts";
import type { NodeView, Operator } from "../types.ts";
import { moving, requireData } from "./moving.ts";

type Image = readonly [n: number, h: number, w: number, c: number];

/** How an operator regroups images. */
interface Regrouping {
  /** The output's shape; its sizes are fractions where the block does not fit. */
  readonly shape: (image: Image, block: number) => Image;
  readonly expected: string;
  /** x as six dimensions, of which the third and the fourth change places. */
  readonly parts: (x: View, block: number) => View;
}

/** C1: x, one output. C2: the type stays and has whole bytes. C3: `[N,H,W,C]`, none of them 0. C4: the block is at least 1 and fits. */
export function regrouping<K extends "depthToSpace" | "spaceToDepth">({
  shape,
  expected,
  parts,
}: Regrouping): Operator<K> {
  return {
    infer(node) {
      requireTensors(node, 1, 1);
      const x = inputOf(node, 0);
      requireData(node, x);
      requireImage(node, "C3", x);
      const { block } = (node as NodeView<"depthToSpace" | "spaceToDepth">).attributes;
      const sizes = shape(dimensions(x.shape, 4), block);
      constrain(node, "C4", block >= 1 && sizes.every(Number.isInteger), () => ({
        expected,
        received: `block ${block}, ${listText(x.shape)}`,
      }));
      return [{ dtype: x.dtype, shape: sizes }];
    },
    ...moving<K>((node) => {
      const { block } = (node as NodeView<"depthToSpace" | "spaceToDepth">).attributes;
      const from = reorder(parts(whole(inputOf(node, 0).shape), block), [0, 1, 3, 2, 4, 5]);
      return [{ x: 0, y: 0, from, to: whole(from.sizes) }];
    }),
  };
}
