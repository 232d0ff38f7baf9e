// An entrant's process as the measurements start it.
import type { Entrant } from '../entrants.ts';
import { type Participant, startParticipant } from '../process/participant.ts';

export interface StartOptions {
  /** The Node.js that runs it. */
  readonly engine: string;
  readonly env: Readonly<Record<string, string>>;
  readonly patienceMs: number;
}

/** What turns the caches of the driver and of dualtoken off. */
export const coldEnv = { MESA_SHADER_CACHE_DISABLE: 'true', DUALTOKEN_CACHE: 'off' };

export const start = ({ program, flags }: Entrant, { engine, env, patienceMs }: StartOptions): Participant =>
  startParticipant({ engine, program, flags, env, patienceMs });
