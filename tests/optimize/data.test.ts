/** Data of every kind becomes examples; what is damaged, empty or of another size is an error that says so. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync, zipSync } from "fflate";
import { openData } from "../../bindings/cli/data.ts";
import { type DataOptions, rangeOf } from "../../bindings/cli/dataOptions.ts";
import { Pint8Error } from "../../bindings/errors.ts";
import { readCsv } from "../../bindings/optimize/data/csv.ts";
import { readIdx } from "../../bindings/optimize/data/idx.ts";
import { readNpy, readNpz } from "../../bindings/optimize/data/npy.ts";
import { parquetDataset } from "../../bindings/optimize/data/parquet.ts";
import { readWav } from "../../bindings/optimize/data/wav.ts";
import type { Port } from "../../bindings/values/port.ts";
import { all, dataFolder, IMAGES, idx, labels, npy, port, text, values, wav } from "./data-files.ts";
import { BYTES, LISTS, PICTURES, UNLABELLED } from "./parquet-files.ts";

const { folder, put } = dataFolder("data");

const EMPTY = join(folder, "empty");
mkdirSync(EMPTY);

const PIXELS = [[[0, 51 / 255, 102 / 255, 1].map(Math.fround)], [[0, 0, 0, 0]], [[1, 1, 1, 1]]];

describe("data that the command line opens", () => {
  const rows: readonly {
    readonly name: string;
    readonly options: DataOptions;
    readonly ports?: readonly Port[];
    readonly values: readonly (readonly (readonly number[])[])[];
    readonly labels: readonly (number | undefined)[];
    readonly classes?: readonly string[];
  }[] = [
    { name: "IDX", options: { data: put("a.idx", IMAGES) }, values: PIXELS, labels: [undefined, undefined, undefined] },
    {
      name: "IDX, gzip, with labels",
      options: { data: put("a.gz", gzipSync(IMAGES)), labels: put("l.gz", gzipSync(idx([3], [7, 0, 2]))) },
      values: PIXELS,
      labels: [7, 0, 2],
    },
    {
      name: "some of it, scaled otherwise",
      options: { data: put("a.idx", IMAGES), samples: { first: 2 }, mean: [127.5], std: [127.5] },
      values: [[[1, 1, 1, 1]]],
      labels: [undefined],
    },
    {
      name: "resized, for three channels",
      options: { data: put("a.idx", IMAGES), samples: { first: 2, end: 3 } },
      ports: [port(1, 1, 2, 3)],
      values: [[[1, 1, 1, 1, 1, 1]]],
      labels: [undefined],
    },
    {
      name: "floats in IDX are no pixels",
      options: { data: put("f.idx", idx([1, 4], [0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0], 13)) },
      values: [[[1, -0.5, 0, 2]]],
      labels: [undefined],
    },
    {
      name: ".npy of floats, labels one a line",
      options: {
        data: put("a.npy", npy("<f4", [2, 4], Float32Array.of(1, 2, 3, 4, -1, -2, -3, -4))),
        labels: put("l.txt", text("b\na\n")),
      },
      values: [[[1, 2, 3, 4]], [[-1, -2, -3, -4]]],
      labels: [1, 0],
      classes: ["a", "b"],
    },
    {
      name: ".npz by names",
      options: {
        data: put(
          "a.npz",
          zipSync({
            "y_test.npy": npy("<i8", [1], BigInt64Array.of(4n)),
            "x.npy": npy("|u1", [1, 2, 2], Uint8Array.of(0, 255, 51, 0)),
          }),
        ),
      },
      values: [[[0, 1, Math.fround(0.2), 0]]],
      labels: [4],
    },
    {
      name: ".csv with a header, two inputs",
      options: { data: put("a.csv", text('p,q,"r, s",label\n1,2,3,"cat"\n4,5,6,ant\n')) },
      ports: [
        { ...port(1), name: "a" },
        { ...port(2), name: "b" },
      ],
      values: [
        [[1], [2, 3]],
        [[4], [5, 6]],
      ],
      labels: [1, 0],
      classes: ["ant", "cat"],
    },
    {
      name: ".csv, another column for the label",
      options: { data: put("b.csv", text('kind;a;"b, c"\n3;0.5;1\n1;2;-1\n')), labels: "kind" },
      ports: [port(1, 2)],
      values: [[[0.5, 1]], [[2, -1]]],
      labels: [3, 1],
    },
  ];
  for (const { name, options, ports = [port(1, 2, 2, 1)], ...expected } of rows)
    test(name, async () => {
      const data = await openData(options, ports);
      const samples = await all(data);
      assert.deepEqual(values(samples), expected.values);
      assert.deepEqual(labels(samples), expected.labels);
      assert.deepEqual(data.classes, expected.classes);
      assert.equal(data.size, samples.length);
      assert.deepEqual(values(await all(data)), expected.values, "again");
    });

  test("folders of pictures, one a class, and of sounds", async () => {
    const drawing = (digit: number) =>
      fileURLToPath(new URL(`../../models/digits/samples/digit_${digit}.png`, import.meta.url));
    for (const [name, digit] of [
      ["three", 3],
      ["eight", 8],
    ] as const) {
      mkdirSync(join(folder, "digits", name), { recursive: true });
      copyFileSync(drawing(digit), join(folder, "digits", name, "a.png"));
    }
    const data = await openData({ data: join(folder, "digits") }, [port(1, 28, 28, 1)]);
    const samples = await all(data);
    assert.deepEqual(labels(samples), [0, 1]);
    assert.deepEqual(data.classes, ["eight", "three"]);
    assert.equal(data.preparation, "pixels / 255, stretch");
    for (const { inputs } of samples) {
      assert.equal(inputs[0]?.length, 784);
      assert.ok(Math.max(...(inputs[0] ?? [])) <= 1 && Math.max(...(inputs[0] ?? [])) > 0.5);
    }
    put("sounds/1/a.wav", wav(1, 16, 1, Int16Array.of(16384, -32768)));
    put("sounds/0/b.wav", wav(1, 8, 2, Uint8Array.of(128, 192, 128, 128, 0, 0, 255, 255)));
    const sounds = await all(await openData({ data: join(folder, "sounds") }, [port(1, 3)]));
    assert.deepEqual(values(sounds), [[[0.25, 0, -1]], [[0.5, -1, 0]]]);
    assert.deepEqual(labels(sounds), [0, 1]);
    for (const n of [1, 2, 3, 4]) put(`uneven/b/${n}.wav`, wav(1, 16, 1, Int16Array.of(n)));
    for (const n of [1, 2]) put(`uneven/a/${n}.wav`, wav(1, 16, 1, Int16Array.of(n)));
    const uneven = await openData({ data: join(folder, "uneven") }, [port(1, 1)]);
    assert.deepEqual(labels(await all(uneven)), [1, 0, 1, 1, 0, 1]);
  });

  test("a quantized input has its own scaling", async () => {
    const quantized: Port = { name: "x", dtype: "uint8", shape: [1, 2, 2, 1], scale: 1 / 128, zeroPoint: 128 };
    const [sample] = await all(await openData({ data: put("a.idx", IMAGES) }, [quantized]));
    assert.deepEqual([...(sample?.inputs[0] ?? [])], [-1, (51 - 128) / 128, (102 - 128) / 128, 127 / 128]);
  });

  const wrong: readonly (readonly [string, DataOptions, RegExp, (readonly Port[])?])[] = [
    ["no file", { data: join(folder, "none.idx") }, /IO|no such/],
    ["another kind", { data: put("x.bin", text("hello")) }, /another kind of file/],
    ["cut short", { data: put("cut.idx", IMAGES.subarray(0, 20)) }, /28 bytes/],
    ["gzip cut short", { data: put("cut.gz", gzipSync(IMAGES).subarray(0, 20)) }, /gzip/],
    [
      "too few labels",
      { data: put("a.idx", IMAGES), labels: put("few.idx", idx([2], [1, 2])) },
      /belong together|3, one for each/,
    ],
    [
      "labels of other examples",
      { data: put("a.idx", IMAGES), labels: put("i.idx", idx([2, 2], [0, 1, 2, 3])) },
      /3 targets, one for/,
    ],
    [
      "labels of lines that differ",
      { data: put("a.idx", IMAGES), labels: put("d.csv", text("1,2\n3,4\n5\n")) },
      /line 3.*2 numbers/,
    ],
    ["a column that is not there", { data: put("n.csv", text("a,b,c\n1,2,3\n")), labels: "b,d" }, /a column "d"/],
    ["another size", { data: put("v.npy", npy("<f4", [2, 3], new Float32Array(6))) }, /4 numbers/],
    ["two inputs of one array", { data: put("a.idx", IMAGES) }, /2 arrays/, [port(4), port(4)]],
    ["nothing in it", { data: put("e.idx", idx([0, 2, 2], [])) }, /at least one example/],
    ["an empty folder", { data: EMPTY }, /pictures or sounds/],
    ["a range outside", { data: put("a.idx", IMAGES), samples: { first: 3 } }, /range within 0:3/],
    ["words in a table", { data: put("w.csv", text("1,2,3,x\n1,2,y,4\n")) }, /line 2, column 3: expected a number/],
    ["uneven rows", { data: put("u.csv", text("a,b,c,d\n\n1,2,3,4\n1,2,3\n")) }, /line 4: expected 4 columns/],
    ["decimal commas", { data: put("c.csv", text("a;b;c\n1,5;2;3\n")) }, /line 2, column 1: .*"1,5" .*a point/],
  ];
  for (const [name, options, message, ports = [port(1, 2, 2, 1)]] of wrong)
    test(`refused: ${name}`, async () => {
      await assert.rejects(
        async () => all(await openData(options, ports)),
        (error: Error) =>
          /^(INVALID|IO)/.test((error as Error & { code: string }).code) &&
          message.test(`${error.message} ${(error as Error & { hint?: string }).hint ?? ""}`),
      );
    });

  test("ranges", () => {
    assert.deepEqual(["0:500", "8000:", "20"].map(rangeOf), [
      { first: 0, end: 500 },
      { first: 8000 },
      { first: 0, end: 20 },
    ]);
    for (const bad of ["", ":", "a:b", "-1:3"]) assert.throws(() => rangeOf(bad), /Expected a range/);
  });
});

describe("readers", () => {
  test("sounds of every width", () => {
    const half = [
      wav(1, 8, 1, Uint8Array.of(192)),
      wav(1, 16, 1, Int16Array.of(16384)),
      wav(1, 24, 1, Uint8Array.of(0, 0, 64)),
    ];
    half.push(
      wav(1, 32, 1, Int32Array.of(2 ** 30)),
      wav(3, 32, 1, Float32Array.of(0.5)),
      wav(3, 64, 1, Float64Array.of(0.5)),
    );
    for (const bytes of half) assert.deepEqual(readWav(bytes, "sound"), { rate: 16000, values: Float32Array.of(0.5) });
  });

  test("damaged bytes end in an error or in values, never otherwise", () => {
    const files: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => unknown])[] = [
      ["idx", IMAGES, (bytes) => readIdx(bytes, "f")],
      ["idx.gz", gzipSync(IMAGES), (bytes) => readIdx(bytes, "f")],
      ["npy", npy("<f2", [2], Uint16Array.of(0x3c00, 0xc000)), (bytes) => readNpy(bytes, "f")],
      ["npz", zipSync({ "x.npy": npy("<f4", [1], Float32Array.of(1)) }), (bytes) => readNpz(bytes, "f")],
      ["wav", wav(1, 16, 2, new Int16Array(8)), (bytes) => readWav(bytes, "f")],
      ["csv", text("a,b\n1,2\n3,4"), (bytes) => readCsv(new TextDecoder().decode(bytes), 2, "f")],
    ];
    let random = 1;
    const next = (below: number) => {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      return random % below;
    };
    for (const [name, bytes, read] of files)
      for (let i = 0; i < 400; i++) {
        const damaged = i % 2 ? bytes.slice(0, next(bytes.length)) : bytes.slice();
        if (i % 2 === 0) damaged[next(bytes.length)] = next(256);
        try {
          read(damaged);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "INVALID_INPUT", `${name}: ${error}`);
        }
      }
  });

  test("Parquet: lists of numbers, and pictures with words for labels", async () => {
    const decode = async (bytes: Uint8Array) => ({
      width: 1,
      height: 1,
      data: new Float32Array(3).fill(bytes[2] ?? 0),
    });
    const lists = await parquetDataset([port(1, 2)], LISTS, decode, "f");
    assert.deepEqual(values(await all(lists)), [[[1, 2]], [[3, 4.5]], [[-1, 0]]]);
    assert.deepEqual(labels(await all(lists)), [0, 2, 1]);
    const pictures = await parquetDataset([port(1, 1, 2, 1)], PICTURES, decode, "f");
    assert.deepEqual(
      values(await all(pictures)),
      [0, 1, 2].map((i) => [[i / 255, i / 255].map(Math.fround)]),
    );
    assert.deepEqual(labels(await all(pictures)), [0, 1, 0]);
    assert.deepEqual(pictures.classes, ["cat", "dog"]);
    await assert.rejects(parquetDataset([port(2)], PICTURES.slice(0, 100), decode, "f"), { code: "INVALID_INPUT" });
    await assert.rejects(async () => all(await parquetDataset([port(3)], LISTS, decode, "f")), {
      code: "INVALID_INPUT",
    });
  });

  test("Parquet: gzip, lists of unsigned bytes are pixels, and a row without a label is an error", async () => {
    const decode = async () => undefined;
    const data = await parquetDataset([port(1, 2)], BYTES, decode, "f");
    assert.deepEqual(values(await all(data)), [[[0, 1]], [[0.2, 0.4].map(Math.fround)], [[1, 0]]]);
    assert.deepEqual(labels(await all(data)), [1, 0, 1]);
    assert.equal(data.preparation, "pixels / 255");
    await assert.rejects(async () => all(await parquetDataset([port(1)], UNLABELLED, decode, "f")), {
      code: "INVALID_INPUT",
      message: /f, row 1: expected a label in column "label", received none/,
    });
  });

  test("Parquet: damaged files end in examples or an error that speaks of the file", async () => {
    const decode = async () => ({ width: 1, height: 1, data: new Float32Array(3) });
    for (const [file, shape] of [
      [LISTS, [1, 2]],
      [PICTURES, [1, 1, 2, 1]],
    ] as const)
      for (let at = 4; at < file.length; at += 3) {
        const bytes = file.slice();
        (bytes[at] as number) ^= at % 2 ? 255 : 1;
        try {
          await all(await parquetDataset([port(...shape)], bytes, decode, "f"));
        } catch (error) {
          assert.ok(error instanceof Pint8Error, String(error));
          assert.doesNotMatch(error.message, /Cannot|is not a function/, `byte ${at}`);
        }
      }
  });
});
