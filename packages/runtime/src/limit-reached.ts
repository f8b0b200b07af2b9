/** What this machine, container or user may have no more of, by what Node.js and libraries say then. */
const LIMITS: readonly { readonly says: RegExp; readonly what: string; readonly remedy: string }[] =
  [
    {
      says: /\b(?:EMFILE|ENFILE)\b/,
      what: 'this process may open no more files',
      remedy: 'Raise the limit of open files: ulimit -n 1024',
    },
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

/** What limit of the system was reached, which nobody's code is at fault for; undefined for other errors. */
export function limitReached(
  thrown: unknown,
): { readonly message: string; readonly remedy: string } | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { message, code = '' } = thrown as NodeJS.ErrnoException;
  const limit = LIMITS.find(({ says }) => says.test(code) || says.test(message));
  if (limit === undefined) return undefined;
  const { what, remedy } = limit;
  return { message: `A limit of this system is reached: ${what} (${message})`, remedy };
}
