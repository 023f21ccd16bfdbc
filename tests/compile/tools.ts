/** Programs that other engines' tests need; where one is missing the test says so and is skipped. */
import { spawnSync } from "node:child_process";

/** What a program said. */
export interface Said {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** PATH without the programs of node_modules, which npm puts first: its wasm2c goes with other headers than the system's. */
function systemPath(): string {
  return (process.env.PATH ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .join(":");
}

/** Runs a program to its end, without a shell. */
export function run(program: string, args: readonly string[], cwd: string, seconds = 120): Said {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    timeout: seconds * 1000,
    env: { ...process.env, PATH: systemPath(), NODE_OPTIONS: "" },
    maxBuffer: 2 ** 26,
  });
  return { status: error === undefined ? status : -1, out: stdout ?? "", err: error?.message ?? stderr ?? "" };
}

/** Reason to skip, or `false`: programs that answer `--version`. */
export function missing(...programs: readonly string[]): string | false {
  const absent = programs.filter((program) => run(program, ["--version"], ".").status !== 0);
  return absent.length === 0 ? false : `not installed: ${absent.join(", ")}`;
}

/** A program of an npm package that is no dependency: the arguments that npx runs it with, or why that cannot be. */
export function fromNpm(spec: string): { readonly command: readonly string[]; readonly skip: string | false } {
  const command = ["--yes", spec];
  const { status, err } = run("npx", [...command, "--version"], ".", 180);
  return { command, skip: status === 0 ? false : `npx ${spec}: ${err.trim().split("\n").at(-1)}` };
}
