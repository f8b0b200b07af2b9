import { readFileSync } from 'node:fs';

/**
 * How many files, connections included, this process may have open. Node.js raises what a shell calls the soft
 * limit to the hard one when it starts, so this is what `ulimit -Hn` says. Undefined where the system does
 * not tell.
 */
export function mostOpenFiles(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1];
    if (soft === undefined) return undefined;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch (error) {
    // There is not even one left to ask by.
    return (error as NodeJS.ErrnoException).code === 'EMFILE' ? 0 : undefined;
  }
}
