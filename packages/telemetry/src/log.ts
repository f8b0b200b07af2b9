const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

/** The least important line that is shown. */
export type LogLevel = (typeof LEVELS)[number];

/** Lines for whoever looks after a process, beside its events. */
export interface Log {
  debug(line: string): void;
  warn(line: string): void;
}

/** @param note writes one line, usually that of a renderer */
export function createLog(level: LogLevel, note: (line: string) => void): Log {
  const shown = (lineLevel: LogLevel) => LEVELS.indexOf(lineLevel) >= LEVELS.indexOf(level);
  const at = (lineLevel: LogLevel, prefix: string) => (line: string) => {
    if (shown(lineLevel)) note(`${prefix}${line}`);
  };
  return { debug: at('debug', 'debug: '), warn: at('warn', 'warning: ') };
}
