import { TuttiError } from '@tutti/runtime';

export interface BadDataParticulars {
  readonly file?: string;
  /** Bytes from the start of the file. */
  readonly offset?: number;
  /** Counted from 1. */
  readonly line?: number;
  readonly cause?: unknown;
  readonly [detail: string]: unknown;
}

/** An error about data, placed: the file and the byte offset or the line lead the message. */
export function badData(
  what: string,
  remedy: string,
  particulars: BadDataParticulars = {},
): TuttiError {
  const { cause, ...details } = particulars;
  const { file, offset, line } = details;
  const place = [
    file,
    line === undefined ? undefined : `line ${line}`,
    offset === undefined ? undefined : `byte ${offset}`,
  ].filter((part) => part !== undefined);
  const message = place.length === 0 ? what : `${place.join(', ')}: ${what}`;
  return new TuttiError('BAD_DATA', message, {
    remedy,
    details,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Turns what the file system says about opening or reading a file into an error with a remedy. */
export function fileError(thrown: unknown, file: string): TuttiError {
  if (thrown instanceof TuttiError) return thrown;
  const { code, message } = thrown as NodeJS.ErrnoException;
  const [what, remedy] =
    code === 'ENOENT'
      ? [
          'there is no such file or folder',
          'Check the path; a relative one starts at the working directory.',
        ]
      : code === 'EACCES' || code === 'EPERM'
        ? ['this process may not read the file', 'Give the user that runs it the right to read.']
        : code === 'EISDIR'
          ? ['this is a folder, not a file', 'Give the path of a file.']
          : code === 'ENOTDIR'
            ? ['this is a file where a folder was expected', 'Give the path of a folder.']
            : code === 'EMFILE'
              ? ['too many files are open', 'Raise the limit (ulimit -n).']
              : [`cannot be read (${message})`, 'Check the file and the disk it lies on.'];
  return badData(what, remedy, { file, cause: thrown });
}
