import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** `O_WRONLY`, as /proc tells it: nohup gives this input to whoever had a terminal for it. */
const WRITE_ONLY = 1;

/**
 * Whether this process was started so that it outlives its terminal. Node undoes what nohup set (it
 * takes SIGHUP back from "ignored"), so it is told from what else nohup leaves: the name of the command
 * that the shell ran, an input that cannot be read, a file nohup.out, or an ancestor that ignores SIGHUP.
 * Elsewhere than on Linux only the first shows.
 */
export function hangupIsIgnored(environment: NodeJS.ProcessEnv, pid = process.pid): boolean {
  if (basename(environment._ ?? '') === 'nohup') return true;
  return inputIsClosed(pid) || writesToNohup(pid) || inheritsIgnoring(pid);
}

function inputIsClosed(pid: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(textOf(`/proc/${pid}/fdinfo/0`))?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & 3) === WRITE_ONLY;
}

function writesToNohup(pid: number): boolean {
  return [1, 2].some((descriptor) => {
    try {
      return basename(readlinkSync(`/proc/${pid}/fd/${descriptor}`)) === 'nohup.out';
    } catch {
      return false;
    }
  });
}

/** Looks at its session alone: other ancestors ignore it for themselves. */
function inheritsIgnoring(pid: number): boolean {
  const own = ancestryOf(pid);
  if (own === undefined) return false;
  let { parent } = own;
  for (;;) {
    const ancestry = ancestryOf(parent);
    if (ancestry?.session !== own.session) return false;
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(textOf(`/proc/${parent}/status`))?.[1];
    // SIGHUP is signal 1: the lowest bit.
    if (ignored !== undefined && Number.parseInt(ignored.slice(-1), 16) % 2 === 1) return true;
    parent = ancestry.parent;
  }
}

/** Undefined for a process that is not there. */
function ancestryOf(pid: number) {
  const stat = textOf(`/proc/${pid}/stat`);
  // The name, in parentheses, may contain spaces (proc_pid_stat(5): parent is 4, session is 6).
  const [, parent, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return session === undefined ? undefined : { parent: Number(parent), session: Number(session) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
