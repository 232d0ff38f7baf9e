// A hub of models, a repository on it, and what its answers and silences mean.
import * as E from 'fp-ts/lib/Either.js';
import { match, P } from 'ts-pattern';
import { codeOf, type DataError, hubError } from '../error.ts';

export interface Hub {
  /** Address without a slash at its end. */
  readonly endpoint: string;
  readonly token: string | null;
}

/** A repository at one of its revisions: a branch, a tag or a commit. */
export interface Repository {
  readonly hub: Hub;
  /** `owner/name`, or `datasets/owner/name`. */
  readonly name: string;
  readonly revision: string;
}

/** The repository that is meant, at the hub that HF_ENDPOINT and HF_TOKEN of `env` name. Left: a name, address or token that is none. */
export const openRepository = (
  name: string,
  revision: string,
  env: Readonly<Record<string, string | undefined>>,
): E.Either<DataError, Repository> => {
  const endpoint = (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '');
  const token = env.HF_TOKEN || null;
  if (!/^(datasets\/)?[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name))
    return E.left(hubError(name, 'this is no repository: its name is owner/name, as google/siglip-so400m-patch14-384'));
  if (!/^https?:\/\/[^/]/.test(endpoint) || !URL.canParse(endpoint))
    return E.left(hubError(name, `HF_ENDPOINT is '${endpoint}', which is no address: it begins with https://`));
  if (token !== null && !/^hf_\w+$/.test(token))
    return E.left(hubError(name, "HF_TOKEN is no token of the hub: it begins with 'hf_'"));
  return E.right({ hub: { endpoint, token }, name, revision });
};

const escapedPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Where a file of a repository is fetched. */
export const fileUrl = ({ hub, name, revision }: Repository, path: string): string =>
  `${hub.endpoint}/${name}/resolve/${encodeURIComponent(revision)}/${escapedPath(path)}`;

/** Who asks; nothing for those who have no token. */
export const authorization = ({ token }: Hub): Readonly<Record<string, string>> =>
  token === null ? {} : { authorization: `Bearer ${token}` };

/** What a status other than success says of a repository or a file of it. */
export const refused = ({ hub, name, revision }: Repository, status: number, file?: string): DataError => {
  const page = `${hub.endpoint}/${name}`;
  const terms = `accept its terms at ${page}, and set HF_TOKEN to a token of that account`;
  const reason = match([status, hub.token])
    .with(
      [401, null],
      () => `the hub wants to know who asks: there is no such repository, or it is private or gated: ${terms}`,
    )
    .with([401, P.string], () => `the hub does not accept HF_TOKEN, or the repository is private: ${terms}`)
    .with([403, P._], () => `the hub does not let this account in: ${terms}`)
    .with([404, P._], () =>
      file === undefined
        ? `there is no such repository at ${hub.endpoint}, or it has no revision '${revision}'`
        : `${file} is not there at revision '${revision}'`,
    )
    .with([429, P._], () => 'the hub has had too many requests: try again later')
    .otherwise(() => `${file ?? 'the hub'}: the answer is ${status}: try again later`);
  return hubError(name, reason);
};

/** Whether a status may be another one a little later. */
export const isPassing = (status: number): boolean => status === 429 || status >= 500;

/** Milliseconds that are waited for a hub that asks for it; no longer, whatever it says. */
const LONGEST = 60_000;

/** What a header Retry-After asks for, in milliseconds from `now`, a minute at most; 0 where there is none. Source: RFC 9110, section 10.2.3. */
export const retryAfter = (header: string | null, now: number): number => {
  const text = header?.trim() ?? '';
  const wanted = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return wanted > 0 ? Math.min(wanted, LONGEST) : 0;
};

/** The cause of a request that had no answer, as short as Node tells it. */
const causeOf = (thrown: unknown): string => {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  return codeOf(cause) || (cause instanceof Error ? cause.message : String(cause));
};

/** A hub that cannot be reached. */
export const unreachable = ({ hub, name }: Repository, thrown: unknown): DataError =>
  hubError(
    name,
    `the hub cannot be reached at ${hub.endpoint} (${causeOf(thrown)}): check the connection, or set HF_ENDPOINT to a mirror, or copy the repository's files here by hand`,
  );
