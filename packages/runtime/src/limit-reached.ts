import { mostOpenFiles } from './open-files.js';

/** What this machine, container or user may have no more of, by what Node.js and libraries say then. */
const OF_FILES = {
  says: /\b(?:EMFILE|ENFILE)\b/,
  what: 'this process may open no more files',
  remedy: 'Raise the limit of open files: ulimit -n 1024',
};
const LIMITS: readonly { readonly says: RegExp; readonly what: string; readonly remedy: string }[] =
  [
    OF_FILES,
    {
      // The last is what esbuild leaves when it could not begin.
      says: /\b(?:ENOMEM|ERR_WORKER_OUT_OF_MEMORY|ERR_WORKER_INIT_FAILED|ERR_MEMORY_ALLOCATION_FAILED)\b|allocation failed|could not allocate memory|^The service was stopped/,
      what: 'there is too little memory',
      remedy:
        'Raise the limit of memory or of address space (ulimit -v unlimited), or have fewer processes here.',
    },
    {
      says: /\bEAGAIN\b.*\bspawn\b|\bspawn\b.*\bEAGAIN\b/,
      what: 'no more processes can be started',
      remedy: 'Raise the limit of processes (ulimit -u, or that of the container).',
    },
  ];

/** Below it Node.js says of modules that it cannot open them that they are not there. */
const FILES_OF_LOADING = 128;

/**
 * What limit of the system was reached, which nobody's code is at fault for; undefined for other errors.
 * @param mostFiles how many files this process may have open
 */
export function limitReached(
  thrown: unknown,
  mostFiles = mostOpenFiles(),
): { readonly message: string; readonly remedy: string } | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { message, code = '' } = thrown as NodeJS.ErrnoException;
  const unloaded =
    code === 'ERR_MODULE_NOT_FOUND' && (mostFiles ?? FILES_OF_LOADING) < FILES_OF_LOADING;
  const limit = unloaded
    ? OF_FILES
    : LIMITS.find(({ says }) => says.test(code) || says.test(message));
  if (limit === undefined) return undefined;
  const { what, remedy } = limit;
  return { message: `A limit of this system is reached: ${what} (${message})`, remedy };
}
