/** CPU time of inferences in interpreters: other programs on the machine matter less to it than to a clock. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `times(n)` of a module took, in ms of CPU time per inference, and the hash of the outputs that it returned. */
interface Result {
  readonly ms: number;
  readonly hash: number;
}

/** Runs `times(count)` of a file; start and loading are left out. */
export type Interpreter = (folder: string, file: string, count: number) => Result;

function run(program: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const options = { cwd, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "", ...env } } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (status !== 0) throw new Error(`${program}: ${error?.message ?? stderr}`);
  return { stdout, stderr };
}

/** wabt's interpreter by its runner of scripts, which can pass arguments; the CPU time is bash's. */
export const wabt: Interpreter = (folder, file, count) => {
  const load = { type: "module", line: 1, filename: file };
  const action = { type: "invoke", field: "times", args: [{ type: "i32", value: `${count}` }] };
  const script = (name: string, ...commands: readonly object[]) => {
    writeFileSync(join(folder, name), JSON.stringify({ source_filename: "times.wast", commands }));
    const command = `TIMEFORMAT=%3U; time spectest-interp ${name}`;
    const { stdout, stderr } = run("bash", ["-c", command], folder, { LC_ALL: "C" });
    return { stdout, seconds: Number(stderr.trim().split("\n").at(-1)) };
  };
  const { stdout, seconds } = script("times.json", load, {
    type: "action",
    line: 1,
    action,
    expected: [{ type: "i32" }],
  });
  const hash = Number(/=> i32:(\d+)/.exec(stdout)?.[1]) | 0;
  return { ms: ((seconds - script("load.json", load).seconds) * 1000) / count, hash };
};

const BUN_PROGRAM = `
const [file, count] = process.argv.slice(2);
const { times } = new WebAssembly.Instance(new WebAssembly.Module(require("node:fs").readFileSync(file))).exports;
const before = process.cpuUsage();
const hash = times(Number(count));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ ms: (user + system) / 1000 / count, hash }));
`;

/** Bun with its JITs off: JavaScriptCore then interprets WebAssembly in place, some thirty times slower. */
export function bun(program: string): Interpreter {
  return (folder, file, count) => {
    writeFileSync(join(folder, "times.cjs"), BUN_PROGRAM);
    const { stdout } = run(program, ["times.cjs", file, `${count}`], folder, { BUN_JSC_useJIT: "0" });
    return JSON.parse(stdout) as Result;
  };
}
