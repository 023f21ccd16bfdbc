/** The browser of tests. */
import { existsSync } from "node:fs";

const CHROMES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Chromium's path here; undefined where there is none. */
export const chrome = CHROMES.find((path) => existsSync(path));
