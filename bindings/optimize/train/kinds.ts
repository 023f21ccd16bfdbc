/** Words of training that its options are made of. */

/**
 * `classes`: scores of classes, of each place by itself where the output has several, as a segmentation's pixels; by cross entropy.
 * `values`: numbers that are to be met, as a regression's; by squared error. `embeddings`: directions; by cosine.
 */
export type Objective = "classes" | "values" | "embeddings";

/** What the loss is made of; see assembly/train/loss.simd.ts. */
export interface LossWeights {
  /** Factor of the cross entropy with the labels; of values, of the mean squared difference from the targets. */
  readonly hard: number;
  /** Factor of KL(teacher ‖ student), both softened by the temperature; times T² already. */
  readonly soft: number;
  /** What scores are divided by, from 1. */
  readonly temperature: number;
  /** Factor of the mean squared difference from the teacher's outputs. */
  readonly squared: number;
  /** Factor of 1 − the cosine with them. */
  readonly cosine: number;
}

/** Levels that an activation is rounded to. */
export interface Levels {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly lo: number;
  readonly hi: number;
}
