/** The built package in a page of Chromium: the same bytes as in Node, under a strict content security policy. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { decodePicture } from "../../bindings/cli/picture/decode.ts";
import { MODULES } from "../../bindings/primitives/modules.ts";
import { loadModel } from "../../bindings/public/index.ts";
import { defaultScaling, preparePicture } from "../../bindings/values/image.ts";
import { shared, skipShared } from "../models/cases.ts";
import { chrome } from "../support/chrome.ts";
import type { digits } from "./page.ts";
import { bundles, openSite, type SiteOptions } from "./site.ts";

const FLAGS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

const DIGIT = 7;
const MODEL = new URL("../../models/digits/", import.meta.url);

/** A drawing as the model takes it, and what the model makes of it in Node. */
async function sample(): Promise<{ readonly input: number[]; readonly expected: number[] }> {
  const model = await loadModel(new URL("digits_int8.tflite", MODEL), { module: "scalar" });
  const port = model.inputs[0];
  assert.ok(port);
  const path = `samples/digit_${DIGIT}.png`;
  const picture = await decodePicture("PNG", readFileSync(new URL(path, MODEL)), path);
  const input = preparePicture(picture, port, defaultScaling(port));
  const [output] = Object.values(model.run([input]));
  model.close();
  assert.ok(output);
  return { input: Array.from(input, Number), expected: Array.from(output, Number) };
}

/** What the page's global is when a function of a test runs in it. */
type InPage = typeof globalThis & { readonly digits: typeof digits };

describe("in Chromium", { skip: chrome === undefined && "no Chromium or Chrome here", timeout: 120_000 }, () => {
  let browser: Browser;
  let scripts: ReadonlyMap<string, Uint8Array>;
  let input: number[];
  let expected: number[];

  before(async () => {
    ({ input, expected } = await sample());
    scripts = await bundles();
    browser = await chromium.launch({ executablePath: chrome as string, args: FLAGS.split(" ") });
  });
  after(() => browser?.close());

  /** Opens a site and a page on it; returns what the browser complained about and warned of. */
  async function visit(options: SiteOptions, work: (page: Page) => Promise<void>) {
    const errors: string[] = [];
    const warnings: string[] = [];
    const site = await openSite(scripts, options);
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      page.on("console", (message) => {
        if (message.type() === "error") errors.push(message.text());
        if (message.type() === "warning") warnings.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.message));
      await page.goto(site.url);
      await work(page);
    } finally {
      await context.close();
      site.close();
    }
    return { errors, warnings };
  }

  test("Node gives the reference's bytes", { skip: skipShared }, () => {
    const golden = new Int8Array(shared("goldens/digits/digits_int8.samples.out.bin"));
    assert.deepEqual(expected, [...golden.subarray(DIGIT * 10, DIGIT * 10 + 10)]);
  });

  test("every module that runs there gives the bytes of Node, and auto takes the fastest", async (t) => {
    const { errors, warnings } = await visit({ isolated: false }, async (page) => {
      const ran: string[] = [];
      for (const module of MODULES) {
        const refused = await page.evaluate((module) => (globalThis as InPage).digits.refused({ module }), module);
        // Relaxed SIMD is the processor's own arithmetic: not exact on every one.
        if (module === "relaxed" && refused === "MODULE_UNAVAILABLE") continue;
        assert.equal(refused, "none", module);
        const answer = await page.evaluate(
          ([module, input]) => (globalThis as InPage).digits.load({ module }, input, 3),
          [module, input] as const,
        );
        assert.deepEqual(answer, { module, threads: 1, outputs: [expected] });
        ran.push(module);
      }
      const auto = await page.evaluate((input) => (globalThis as InPage).digits.load({}, input, 3), input);
      assert.deepEqual(auto.outputs, [expected]);
      assert.equal(auto.module, ran.includes("relaxed") ? "relaxed" : "simd");
      t.diagnostic(`Chromium ${browser.version()}: auto takes ${auto.module}`);
    });
    assert.deepEqual({ errors, warnings }, { errors: [], warnings: [] });
  });

  test("two threads run in an isolated page, give the same bytes and end", async () => {
    const { errors, warnings } = await visit({ isolated: true }, async (page) => {
      assert.equal(await page.evaluate(() => (globalThis as InPage).digits.isolated()), true);
      for (const module of ["auto", "simd"] as const) {
        const answer = await page.evaluate(
          ([module, input]) => (globalThis as InPage).digits.load({ module, threads: 2 }, input, 50, 2),
          [module, input] as const,
        );
        assert.equal(answer.threads, 2);
        assert.deepEqual(answer.outputs, [expected]);
      }
      const answer = await page.evaluate((input) => (globalThis as InPage).digits.share(input, 50), input);
      assert.equal(answer.threads, 2);
      assert.deepEqual(answer.outputs, [expected]);
      for (let polls = 0; page.workers().length > 0 && polls < 500; polls++) await page.waitForTimeout(10);
      assert.equal(page.workers().length, 0);
    });
    assert.deepEqual({ errors, warnings }, { errors: [], warnings: [] });
  });

  test("a page that is not isolated runs one thread and is told why", async () => {
    const { errors, warnings } = await visit({ isolated: false }, async (page) => {
      assert.equal(await page.evaluate(() => (globalThis as InPage).digits.isolated()), false);
      const answer = await page.evaluate(
        (input) => (globalThis as InPage).digits.load({ threads: 2 }, input, 3),
        input,
      );
      assert.equal(answer.threads, 1);
      assert.deepEqual(answer.outputs, [expected]);
    });
    assert.deepEqual(errors, []);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^pint8: one thread runs where 2 were asked for, .*Cross-Origin-Opener-Policy/);
  });

  test("where worker.js is missing, the page's thread does the work and a warning says so", async () => {
    await visit({ isolated: true, worker: false }, async (page) => {
      const answer = await page.evaluate((input) => (globalThis as InPage).digits.loadWarned(input), input);
      assert.equal(answer.threads, 1);
      assert.deepEqual(answer.outputs, [expected]);
      assert.equal(answer.warnings.length, 1);
      assert.match(answer.warnings[0] ?? "", /^pint8: a thread could not start \(/);
    });
  });

  test("all this under a policy that evaluates no text", async () => {
    await visit({ isolated: true }, async (page) =>
      assert.equal(await page.evaluate(() => (globalThis as InPage).digits.evaluatesText()), false),
    );
  });
});
