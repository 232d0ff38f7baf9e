// Whether the device still works: the first loss or uncaptured error fails every pending and future call.

import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Program } from '../../compiler/program.ts';
import { attempt, unexpected } from '../attempt.ts';
import { type RunError, RunFailure } from '../error.ts';
import { namedKernels } from '../site.ts';

export class Health {
  #fault: RunError | null = null;
  #last: Program | null = null;

  constructor(device: GPUDevice) {
    void device.lost.then((info) =>
      this.fail({
        _tag: 'DeviceLost',
        reason: info.message || info.reason || 'the driver gave no reason',
        ...this.#running(),
      }),
    );
    device.onuncapturederror = ({ error }) =>
      this.fail({ _tag: 'ValidationError', message: error.message, ...this.#running() });
  }

  /** Errors that the device reports on its own, later and without a cause, name what was submitted last. */
  submitted(program: Program): void {
    this.#last = program;
  }

  #running() {
    return this.#last ? namedKernels(this.#last) : { kernel: '', site: '' };
  }

  get fault(): RunError | null {
    return this.#fault;
  }

  /** The first fault stands, except that a loss explains more than what led to it. */
  fail(fault: RunError): void {
    if (this.#fault === null || (fault._tag === 'DeviceLost' && this.#fault._tag !== 'DeviceLost')) this.#fault = fault;
  }

  check(): void {
    if (this.#fault) throw new RunFailure(this.#fault);
  }

  /** `work` between two checks; what it throws is put down to the device's fault where there is one. */
  guard<A>(work: () => Promise<A>): TaskEither<RunError, A> {
    return attempt(
      async () => {
        this.check();
        const result = await work();
        this.check();
        return result;
      },
      (thrown) => this.#fault ?? unexpected(thrown),
    );
  }
}
