// Serves web/dist and the REST stub, under the strictest content security policy that a server
// may put before the page. Run alone (`node e2e/static-server.mjs`) it prints its address.

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { RestStub } from "./rest-stub.mjs";

const DIST = fileURLToPath(new URL("../dist", import.meta.url));

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** No inline script or style, no eval, nothing from elsewhere. */
export const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self' mediastream: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Starts a server; resolves to `{url, stub, close}`. */
export async function serve(port = 0) {
  const stub = new RestStub();
  const server = createServer((request, response) => void respond(stub, request, response));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () =>
    new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}`, stub, close };
}

async function respond(stub, request, response) {
  request.resume();
  const { pathname } = new URL(request.url, "http://localhost");
  const answer = stub.answer(request.method, pathname, request.headers);
  if (answer === null) {
    request.socket.destroy();
  } else if (answer !== undefined) {
    response.writeHead(answer.status, { "content-type": answer.type }).end(answer.body);
  } else {
    await file(pathname, response);
  }
}

async function file(pathname, response) {
  const name = normalize(pathname === "/" ? "/index.html" : pathname);
  try {
    const body = await readFile(join(DIST, name));
    const type = TYPES[extname(name)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-security-policy": CSP }).end(body);
  } catch {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found");
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.env.PORT ?? 0));
  console.log(url);
}
