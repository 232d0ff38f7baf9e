// Which process this is, in words that another one can check: its number says nothing in another namespace, or after a restart.
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './error.ts';

/** Where a system does not tell, or an older lock does not, it is ''. */
export interface ProcessId {
  readonly pid: number;
  readonly host: string;
  /** Of the installation, where two machines have one name. */
  readonly machine: string;
  readonly boot: string;
  /** In which the number counts. */
  readonly namespace: string;
  /** When it began, in ticks since the boot. */
  readonly started: string;
}

const told = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return '';
  }
};

/** Field 22 of proc_pid_stat(5), counted from behind the name, which may hold anything. */
const startOf = (pid: number | 'self'): string =>
  told(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  });

/** An identifier that is nobody's business, made into another one. */
const veiled = (id: string): string => (id === '' ? '' : createHash('sha256').update(id).digest('hex').slice(0, 12));

/** This process. */
export const thisProcess = (): ProcessId => ({
  pid: process.pid,
  host: hostname(),
  machine: veiled(told(() => readFileSync('/etc/machine-id', 'utf8'))),
  boot: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  namespace: told(() => readlinkSync('/proc/self/ns/pid')),
  started: startOf('self'),
});

/** Of all processes whose numbers count here: of this machine and namespace. */
export const placeTag = (): string => {
  const { host, machine, namespace } = thisProcess();
  return createHash('sha256').update([host, machine, namespace].join(' ')).digest('hex').slice(0, 4);
};

/** Whether a process of this namespace lives; one that may not be signalled does. */
export const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return codeOf(cause) === 'EPERM';
  }
};

/** Whether a process is known to be over. Of one on another machine or in another namespace nothing is known. */
export const isOver = (other: ProcessId, own: ProcessId = thisProcess()): boolean => {
  const differs = (key: 'machine' | 'boot' | 'namespace'): boolean => other[key] !== '' && other[key] !== own[key];
  if (other.host !== own.host || differs('machine') || differs('namespace')) return false;
  if (differs('boot') || !lives(other.pid)) return true;
  const started = startOf(other.pid);
  if (other.started !== '' && started !== '') return other.started !== started;
  // A process cannot wait for itself: the number was another's before a restart.
  return other.pid === own.pid;
};
