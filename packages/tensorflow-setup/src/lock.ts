import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Clock, systemClock, withCleanUp } from '@tutti/runtime';
import { aborted } from './run-process.js';
import { createSetupMonitor } from './setup-monitor.js';
import type { WayContext } from './way.js';

export interface LockOptions extends WayContext {
  /** A lock whose heartbeat stands still for this long is taken over. */
  readonly staleAfterMs?: number;
  /** Whether a process of this host lives; replaced in tests. */
  readonly isAlive?: (pid: number) => boolean;
}

interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
  readonly beat: number;
}

const POLL_MS = 250;
const BEAT_MS = 5_000;

/**
 * Runs `task` while no other process runs one under the same lock file.
 *
 * The lock saves work; it is not what keeps the cache whole. A holder that is suspended for long may
 * lose it, so tasks must also be safe when two run at once (see cache-entry.ts).
 *
 * @throws TuttiError ABORTED if the signal fires while waiting.
 */
export async function withLock<T>(
  file: string,
  options: LockOptions,
  task: () => Promise<T>,
): Promise<T> {
  const { clock = systemClock } = options;
  let owner: Owner | undefined;
  const monitor = createSetupMonitor(options);
  const acquiring = acquire(file, options, clock, (found) => {
    owner = found;
  });
  const release = await monitor.race(acquiring, () => ({
    who: nameOf(owner),
    what: `release the lock ${file}`,
    remedy:
      owner?.host === hostname()
        ? `It says what it does where it was started. If it hangs, end it (kill ${owner.pid}): then this process goes on in its place.`
        : 'If it has ended, this process goes on in its place after a minute without a sign of life.',
  }));
  return withCleanUp(release, task);
}

/** @param found told who holds the lock, while that is somebody else */
async function acquire(
  file: string,
  options: LockOptions,
  clock: Clock,
  found: (owner: Owner | undefined) => void,
) {
  const { staleAfterMs = 60_000, isAlive = processLives, signal } = options;
  let seen: { text: string; sinceMs: number } | undefined;
  let told = false;
  for (;;) {
    if (signal?.aborted) throw aborted('Waiting for another set-up');
    const release = await tryCreate(file, clock);
    if (release !== undefined) return release;

    // Unnamed wait: a small file of this machine.
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    if (seen?.text !== text) seen = { text, sinceMs: clock.now() };
    const owner = parseOwner(text);
    found(owner);
    const dead = owner?.host === hostname() && !isAlive(owner.pid);
    if (dead || clock.now() - seen.sinceMs >= staleAfterMs) {
      await takeAway(file, text, owner);
      seen = undefined;
      continue;
    }
    if (!told) {
      options.report(`Waiting for ${nameOf(owner)}, which prepares the same files (lock ${file}).`);
      told = true;
    }
    // Unnamed wait: the caller races it.
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}

// Unnamed wait: a small file of this machine.
async function tryCreate(file: string, clock: Clock): Promise<(() => Promise<void>) | undefined> {
  const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  const token = randomUUID();
  let beat = 0;
  // Through the handle, so that a beat never touches the lock of somebody who took over.
  const write = () =>
    handle.write(
      JSON.stringify({ pid: process.pid, host: hostname(), token, beat: beat++ } satisfies Owner),
      0,
    );
  await write();
  let released = false;
  let timer = clock.after(BEAT_MS, tick);
  let writing: Promise<unknown> = Promise.resolve();
  function tick() {
    if (released) return;
    writing = write().catch(() => undefined);
    timer = clock.after(BEAT_MS, tick);
  }
  return async () => {
    released = true;
    timer.cancel();
    await writing;
    await handle.close();
    const text = await readFile(file, 'utf8').catch(() => '');
    if (parseOwner(text)?.token === token) await rm(file, { force: true });
  };
}

/** Moves a stale lock aside; if it became a live one in the meantime, puts that back. */
// Unnamed wait: a small file of this machine.
async function takeAway(file: string, staleText: string, stale: Owner | undefined) {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  const text = await readFile(aside, 'utf8').catch(() => staleText);
  const same = stale === undefined ? text === staleText : parseOwner(text)?.token === stale.token;
  if (!same) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

function nameOf(owner: Owner | undefined): string {
  return owner === undefined ? 'another process' : `process ${owner.pid} on ${owner.host}`;
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Owner;
    return typeof owner.pid === 'number' && typeof owner.host === 'string' ? owner : undefined;
  } catch {
    return undefined;
  }
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
