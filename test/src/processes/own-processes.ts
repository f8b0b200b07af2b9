import { readdirSync, readFileSync } from 'node:fs';

/** A process that this one has started. */
interface OwnProcess {
  readonly pid: number;
  readonly command: string;
  /** Clock ticks after the machine's own start. */
  readonly started: number;
}

/** The living children of this process whose command line contains `text`, the oldest first. */
export function ownProcesses(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => ownProcess(Number(name)) ?? [])
    .filter(({ command }) => command.includes(text))
    .sort((a, b) => a.started - b.started || a.pid - b.pid)
    .map(({ pid }) => pid);
}

/** Undefined for those of others, and for one that ends while we look. */
function ownProcess(pid: number): OwnProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may contain spaces (proc_pid_stat(5): parent is 4, start is 22).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[1]) !== process.pid) return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return { pid, command, started: Number(fields[19]) };
  } catch {
    return undefined;
  }
}
