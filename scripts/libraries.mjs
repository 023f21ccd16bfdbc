// What the bundles leave out of other libraries: what nothing here calls.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./files.mjs";

/** What the reader of Parquet has for maps and trees, which are no examples: left as they are, they are refused as what is no number. */
export const UNREAD = {
  name: "unread",
  setup({ onLoad }) {
    onLoad({ filter: /hyparquet[\\/]src[\\/](variant|wkb|geoparquet)\.js$/ }, () => ({
      contents:
        "export const decodeVariantColumn = (value) => value, wkbToGeojson = () => {}, markGeoColumns = wkbToGeojson;",
    }));
  },
};

/** Methods that nothing here calls: of Commander for programs that are others, of FlatBuffers' buffer for what its compiler generates, of pbf for types that no .onnx file has, of what PNG is read by for what is written. */
const UNCALLED = {
  "commander/lib/command.js": [
    ...["_executeSubCommand", "executableDir", "add(?:Help|)Command", "addHelpOption", "parse", "setOptionValue"],
    ...["show(?:Help|Suggestion)AfterError", "combineFlagAndOptionalValue", "allow(?:UnknownOption|ExcessArguments)"],
    ...[
      "enablePositionalOptions",
      "passThroughOptions",
      "storeOptionsAsProperties",
      "(?:getOptionValueSource|opts)WithGlobals",
    ],
    "(?:commands|options)Group",
  ].join("|"),
  "commander/lib/option.js": "preset|conflicts|implies|hideHelp",
  "commander/lib/argument.js": "argRequired|argOptional",
  "iobuffer/lib/iobuffer.js": [
    ...[
      "back",
      "getWrittenByteLength",
      "is(?:Big|Little)Endian",
      "(?:pop|push)Mark",
      "rewind",
      "setLittleEndian",
      "toArray",
    ],
    ...[String.raw`read(?:BigInt64|BigUint64|Boolean|Float\d\d|Int16|Int32|Utf8)`, "decodeText", String.raw`write\w+`],
  ].join("|"),
  "flatbuffers/mjs/byte-buffer.js": "createScalarList|createObjList|__union_with_string|getBufferIdentifier",
  "pbf/index.js": [
    ...[
      "readMessage",
      "readBoolean",
      "readSVarint",
      String.raw`read(?:Packed)?S?Fixed\d\d`,
      "readPacked(?:Boolean|SVarint)",
    ],
    ...[String.raw`write(?:Packed\w+|Boolean|Double|SVarint|S?Fixed\d\d)(?:Field)?`],
  ].join("|"),
};
export const CALLED = {
  name: "called",
  setup({ onLoad }) {
    for (const [file, methods] of Object.entries(UNCALLED)) {
      const filter = new RegExp(`${file.replaceAll("/", String.raw`[\\/]`)}$`);
      const text = new RegExp(String.raw`^( {2}| {4})(?:${methods})\([^)]*\) \{\n[\s\S]*?^\1\}\n`, "gm");
      onLoad({ filter }, ({ path }) => ({ contents: readFileSync(path, "utf8").replace(text, "") }));
    }
  },
};

/**
 * The reader of FlatBuffers without the builder, which the writer of .tflite files alone needs: esbuild puts all that a library's index
 * names into what every model needs.
 */
export const READER = {
  name: "reader",
  setup({ onResolve }) {
    onResolve({ filter: /^flatbuffers$/ }, ({ importer }) =>
      importer.endsWith("flatbuffer.ts")
        ? { path: join(ROOT, "node_modules/flatbuffers/mjs/byte-buffer.js"), sideEffects: false }
        : undefined,
    );
  },
};
