/** One example of a data set. */
export interface Sample {
  /** One array per input of the model, row-major in the input's shape without quantization: real values. */
  readonly inputs: readonly Float32Array[];
  /** Class, from 0; absent where there are no labels. */
  readonly label?: number;
  /** Expected outputs of a regression, row-major, real values; of a segmentation the class of each place, −1 or 255 where it does not count. */
  readonly targets?: readonly Float32Array[];
  /** Where it came from, for messages and reports: a file's name, a row's number. */
  readonly name?: string;
}

/** Examples that can be gone through as often as wanted, in the same order each time. */
export interface Dataset extends AsyncIterable<Sample> {
  /** How many there are, where that is known before reading. */
  readonly size?: number;
  /** The examples whose places are wanted, without reading the others. */
  readonly some?: (wanted: (place: number) => boolean) => AsyncIterable<Sample>;
  /** Names of the classes, where the data has them. */
  readonly classes?: readonly string[];
  /** How values were made from what is stored, for reports: `pixels / 255`. */
  readonly preparation?: string;
}
