// A transform for asc: lets Binaryen fold constants into the offsets of loads and stores, load(p + 16) into
// load offset=16 (p), which saves an instruction each. That is sound where p + 16 cannot wrap around the end of memory to
// a valid address. asc assumes it only for programs whose static data begins at 1024; ours begins at 16, but is only read at
// constant addresses, and everything that a pointer reaches lies at 1024 or above.
import binaryen from "assemblyscript/binaryen";
import { Transform } from "assemblyscript/transform";

// biome-ignore lint/style/noDefaultExport: asc takes a transform from there
export default class FoldOffsets extends Transform {
  afterCompile() {
    binaryen.setLowMemoryUnused(true);
  }
}
