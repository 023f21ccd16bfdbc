/** Examples that are files of their own: pictures, sounds, arrays. */
import { requireList } from "../../given.ts";
import { elementCount, listText } from "../../tensor.ts";
import type { Picture } from "../../values/picture.ts";
import { type DataPort, type Preparation, pictureInput, preparationText, UNIT_SCALING } from "./arrays.ts";
import { ahead } from "./batches.ts";
import { foreign, invalid } from "./bytes.ts";
import { readNpy } from "./npy.ts";
import { isNpy } from "./npyHeader.ts";
import { withSome } from "./some.ts";
import type { Dataset, Sample } from "./types.ts";
import { isWav, readWav } from "./wav.ts";

/** Names of such files. */
export const EXAMPLE_NAME = /\.(png|jpe?g|bmp|wav|npy)$/i;

/** One example's file. */
export interface ExampleFile {
  readonly name: string;
  readonly label?: number;
  readonly targets?: readonly Float32Array[];
  readonly read: () => Promise<Uint8Array>;
}

/** Decodes a picture; undefined where the bytes are none. */
export type PictureDecoder = (bytes: Uint8Array, where: string) => Promise<Picture | undefined>;

/**
 * The examples of files, for a model of one input: read and decoded some ahead of who asks, and let go of after. Sounds are
 * cut, or followed by silence, to the length of the input, which is one row.
 *
 * Errors: INVALID_INPUT where there are no files, and when its turn comes for one that is none of these.
 */
export function filesDataset(
  ports: readonly DataPort[],
  files: readonly ExampleFile[],
  decode: PictureDecoder,
  classes: readonly string[] | undefined,
  { scaling = UNIT_SCALING, fit = "stretch" }: Preparation = {},
): Dataset {
  requireList("filesDataset, ports", ports, "the model's inputs { name, shape }, as model.inputs", "shape");
  requireList("filesDataset, files", files, "files { name, read }", "read");
  const [port] = ports;
  if (port === undefined || ports.length !== 1)
    throw invalid("data", "a model of one input for files", `${ports.length} inputs`);
  if (files.length === 0)
    throw invalid("data", "pictures or sounds", "none", "Put them into a folder for each class, or all into one.");
  const count = elementCount(port.shape);

  const example = async ({ name, label, targets, read }: ExampleFile): Promise<Sample> => {
    const bytes = await read();
    const values = await valuesOf(bytes, name);
    return { inputs: [values], name, ...(label !== undefined && { label }), ...(targets && { targets }) };
  };
  const valuesOf = async (bytes: Uint8Array, name: string): Promise<Float32Array> => {
    if (isWav(bytes)) {
      // One channel of sound has no place in pictures, spectra and several channels.
      if (port.shape.filter((size) => size > 1).length > 1)
        throw invalid(
          name,
          `what a network of ${listText(port.shape)} takes`,
          "sound",
          "A picture, or a .npy file of what the network's features are computed to; sounds are for inputs of one row.",
        );
      const values = new Float32Array(count);
      values.set(readWav(bytes, name).values.subarray(0, count));
      return values;
    }
    if (isNpy(bytes)) {
      const { values, shape } = readNpy(bytes, name);
      if (values.length !== count) throw invalid(name, `${count} numbers`, listText(shape));
      return Float32Array.from({ length: count }, (_, i) => Number(values[i]));
    }
    const picture = await decode(bytes, name);
    if (picture === undefined) throw foreign(name, "a picture, a .wav or a .npy file", bytes);
    return pictureInput(port, picture, scaling, fit);
  };

  const about = {
    size: files.length,
    ...(classes === undefined ? {} : { classes }),
    preparation: preparationOf(files[0]?.name ?? "") ?? `${preparationText(scaling)}, ${fit}`,
  };
  return withSome(about, (wanted) =>
    ahead(
      files.filter((_, i) => wanted(i)),
      example,
    ),
  );
}

/** What becomes of files that are no pictures. */
function preparationOf(name: string): string | undefined {
  if (/\.npy$/i.test(name)) return "numbers as they are";
  return /\.wav$/i.test(name) ? "sound from -1 to 1" : undefined;
}
