// A hub of models on this machine: listings in pages, redirects of large files to another server, ranges, and its failures.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Whether the server of large files was asked. */
  readonly store: boolean;
}

export interface FakeHub {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** Closes connections at this byte of large files; null: never. */
  cutAt: number | null;
  /** Bytes a connection serves before it is closed; null: all. */
  cutEvery: number | null;
  /** Whether a connection that is to be closed is left open instead, and says nothing more. */
  silent: boolean;
  /** Whether requests for ranges are honoured. */
  ranges: boolean;
  /** The token that it wants; null: none. */
  token: string | null;
  /** Statuses that the next requests to the server of large files get, before it answers as it should. */
  busy: number[];
  /** Status of all listings; null: as it should be. */
  status: number | null;
  readonly files: Map<string, Buffer>;
  /** Paths whose stated checksums are of something else. */
  readonly wrong: Set<string>;
}

const owner = '/acme/tower';
const [revision, other] = ['main', 'refs/pr/1'];
/** Entries of a listing's page. */
const PAGE = 2;

const sha = (kind: string, ...parts: readonly (string | Buffer)[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash(kind)).digest('hex');

const listen = (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Server> =>
  new Promise((done) => {
    const server = createServer(answer);
    server.listen(0, '127.0.0.1', () => done(server));
  });

const urlOf = (server: Server): string => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
};

const isLarge = (path: string): boolean => /\.(safetensors|bin)$/.test(path);

/** Runs `use` beside a hub with the repository `acme/tower`, of which names ending in .safetensors and .bin are large files. */
export const withHub = async (
  files: Readonly<Record<string, Buffer>>,
  use: (hub: FakeHub) => Promise<void>,
): Promise<void> => {
  const asked: Asked[] = [];
  const note = (request: IncomingMessage, path: string, store: boolean): void => {
    const { range, authorization } = request.headers;
    asked.push({ path, range, authorization, store });
  };
  const send = (request: IncomingMessage, response: ServerResponse, bytes: Buffer): void => {
    const from = hub.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    if (from > 0 && from >= bytes.length) return void response.writeHead(416).end();
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': bytes.length - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    const stop = Math.min(hub.cutAt ?? bytes.length, from + (hub.cutEvery ?? bytes.length), bytes.length);
    if (stop === bytes.length) return void response.end(bytes.subarray(from));
    // Time to read what is sent: the end of a stream drops what was not.
    const part = bytes.subarray(from, Math.max(from, stop));
    response.write(part, () => {
      if (!hub.silent) setTimeout(() => response.socket?.end(), 20);
    });
  };
  const store = await listen((request, response) => {
    const path = decodeURIComponent(request.url!.slice(1));
    note(request, path, true);
    const status = hub.busy.shift();
    if (status !== undefined) return void response.writeHead(status, { 'retry-after': '0' }).end('busy');
    send(request, response, hub.files.get(path)!);
  });
  const front = await listen((request, response) => {
    const url = new URL(request.url!, hub.url);
    const [, rest = ''] = decodeURIComponent(url.pathname).split(`${owner}/`);
    note(request, decodeURIComponent(url.pathname), false);
    const refuse = (code: number): void =>
      void response.writeHead(code, { 'content-type': 'application/json' }).end('{"error":"no"}');
    if (hub.status !== null) return refuse(hub.status);
    if (hub.token !== null && request.headers.authorization !== `Bearer ${hub.token}`) return refuse(401);
    const place = [revision, other]
      .flatMap((name) => [`tree/${name}`, `resolve/${name}/`])
      .find((name) => rest.startsWith(name));
    if (place === undefined) return refuse(404);
    if (place.startsWith('resolve')) {
      const path = rest.slice(place.length);
      const bytes = hub.files.get(path);
      if (bytes === undefined) return refuse(404);
      if (isLarge(path))
        return void response.writeHead(302, { location: `${urlOf(store)}/${encodeURIComponent(path)}` }).end();
      return send(request, response, bytes);
    }
    const all = [...hub.files].map(([path, bytes]) => {
      const stated = hub.wrong.has(path) ? Buffer.concat([bytes, Buffer.from('x')]) : bytes;
      const entry = { type: 'file', path, oid: sha('sha1', `blob ${bytes.length}\0`, stated), size: bytes.length };
      return isLarge(path)
        ? { ...entry, lfs: { oid: sha('sha256', stated), size: bytes.length, pointerSize: 130 } }
        : entry;
    });
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const more = from + PAGE < all.length;
    const next = `${hub.url}${url.pathname}?recursive=true&cursor=${from + PAGE}`;
    response.writeHead(200, { 'content-type': 'application/json', ...(more ? { link: `<${next}>; rel="next"` } : {}) });
    response.end(
      JSON.stringify([
        ...(from === 0 ? [{ type: 'directory', path: 'sub', oid: '0', size: 0 }] : []),
        ...all.slice(from, from + PAGE),
      ]),
    );
  });
  const hub: FakeHub = {
    url: urlOf(front),
    asked,
    cutAt: null,
    cutEvery: null,
    silent: false,
    ranges: true,
    busy: [],
    token: null,
    status: null,
    files: new Map(Object.entries(files)),
    wrong: new Set(),
  };
  try {
    await use(hub);
  } finally {
    for (const server of [front, store]) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }
};
