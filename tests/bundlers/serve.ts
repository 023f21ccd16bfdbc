import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import type { Result } from "./support.ts";

/** No text is evaluated, nothing comes from elsewhere. */
export const POLICY =
  "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'unsafe-inline'; img-src data:";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

interface Site {
  readonly url: string;
  /** What was sent to `/result`, once. */
  readonly told: Promise<Result>;
  close(): void;
}

/** Serves a folder on this machine; `headers` go with every file. */
export async function serve(folder: string, headers: Readonly<Record<string, string>> = {}): Promise<Site> {
  let tell = (_result: Result): void => {};
  const told = new Promise<Result>((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      tell(JSON.parse(Buffer.concat(await request.toArray()).toString()));
      response.end();
      return;
    }
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const content = await readFile(join(folder, file)).catch(() => undefined);
    response.writeHead(content === undefined ? 404 : 200, {
      "Content-Type": TYPES[extname(file)] ?? "application/octet-stream",
      ...headers,
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    told,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
