import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TuttiError } from '@tutti/runtime';

/** Beside the checkpoints of a run: the process that writes them now. */
const OWNER_FILE = 'owner.json';

/** A process that writes into a folder. */
export interface Owner {
  readonly job: string;
  readonly host: string;
  readonly pid: number;
  /** Tells it from a later process of the same number; absent where the system does not say. */
  readonly since?: string;
  /** Where its workers reach it, if their processes hold the weights: they may outlive it. */
  readonly coordinator?: string;
  /** The hash of the program that these workers run. */
  readonly program?: string;
}

/** Makes this process the one that writes into a folder, until it gives it back. */
export interface Claim {
  release(): Promise<void>;
}

/**
 * Claims a folder. What a process that was killed has left is taken over.
 * @throws TuttiError FOLDER_IN_USE if a process of this machine writes into it; errors of the file
 *   system
 */
export async function claimFolder(
  directory: string,
  job: string,
  outlived: Pick<Owner, 'coordinator' | 'program'> = {},
): Promise<Claim> {
  const path = join(directory, OWNER_FILE);
  const since = startOf(process.pid);
  const self = { job, host: hostname(), pid: process.pid, ...(since && { since }) };
  const owner: Owner = { ...self, ...outlived };
  const text = `${JSON.stringify(owner)}\n`;
  while (!(await create(path, text))) {
    const current = await readOwner(directory);
    if (current !== undefined && isAlive(current)) throw inUse(directory, current);
    const aside = `${path}-${randomUUID()}`;
    await rename(path, aside).catch((error: NodeJS.ErrnoException) => {
      // Another has taken it away.
      if (error.code !== 'ENOENT') throw error;
    });
    // Where two find the same leftover, the second may have taken away what the first has made.
    const taken = parse(await readFile(aside, 'utf8').catch(() => ''));
    if (taken !== undefined && isAlive(taken)) await link(aside, path).catch(() => {});
    await rm(aside, { force: true });
  }
  return {
    async release() {
      const found = await readFile(path, 'utf8').catch(() => '');
      if (found === text) await rm(path, { force: true }).catch(() => {});
    },
  };
}

/** The process that writes into a folder, or was killed while it did; undefined if there is none. */
export async function readOwner(directory: string): Promise<Owner | undefined> {
  return parse(await readFile(join(directory, OWNER_FILE), 'utf8').catch(() => ''));
}

function parse(text: string): Owner | undefined {
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
}

/** Whether an owner lives. Of another machine's nobody here knows: it counts as gone. */
export function isAlive({ host, pid, since }: Owner): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // It is somebody else's, if we may not send it signals.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return since === undefined || since === startOf(pid);
}

/** The error for a folder that a living process writes into. */
export function inUse(directory: string, { pid, job }: Owner): TuttiError {
  return new TuttiError(
    'FOLDER_IN_USE',
    `${directory} is in use: the process ${pid} writes the checkpoints of job ${job} there`,
    {
      remedy: 'Wait until it has ended, or name another folder with --checkpoint-dir.',
      details: { directory, pid, job },
    },
  );
}

/** True if it was made, with all of its text at once; false if there is one. */
async function create(path: string, text: string): Promise<boolean> {
  const aside = `${path}-${randomUUID()}`;
  try {
    await writeFile(aside, text);
    await link(aside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true }).catch(() => {});
  }
}

/** When a process began: the machine's start and its ticks since then, as Linux tells them. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may contain spaces (proc_pid_stat(5): start is 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that was killed stays there until its parent has looked.
    return fields[0] === 'Z' ? undefined : `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}
