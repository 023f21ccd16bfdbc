/** How pictures are changed while a network learns them. */

/** How far pictures are changed; each is drawn evenly from − to +, and absent is 0. Defaults: `AUGMENTATION`. */
export interface Augmentation {
  /** Radians. */
  readonly rotation?: number;
  /** Of the size, as a part. */
  readonly scale?: number;
  /** Of the height, as a part. */
  readonly shear?: number;
  /** Pixels. */
  readonly shift?: number;
  /** How often dark and light change places, 0 to 1. */
  readonly invert?: number;
  /** Logarithm of the contrast. */
  readonly contrast?: number;
  /** Part of the range of values. */
  readonly brightness?: number;
  /** Standard deviation, of the range of values; drawn from 0 up. */
  readonly noise?: number;
  /** Mirrored left to right, 0 to 1. */
  readonly flip?: number;
}

/** What small grey pictures of things without a given place, size and light bear. */
export const AUGMENTATION: Augmentation = {
  rotation: 0.17,
  scale: 0.12,
  shear: 0.12,
  shift: 2,
  contrast: 0.25,
  brightness: 20 / 255,
  noise: 8 / 255,
};
