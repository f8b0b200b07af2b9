import { runLocal as launch } from '@tutti/launch';
import { keepAccount } from './accounts.js';

const LAST_LINES = 24;

/** That of @tutti/launch; a test that fails shows what the run told, and its processes said, last. */
export const runLocal: typeof launch = (program, options = {}) => {
  const { onEvent = [], onLine } = options;
  const told: string[] = [];
  const tell = (line: string) => {
    told.push(line);
    if (told.length > LAST_LINES) told.shift();
  };
  keepAccount(`runLocal with ${options.workers ?? 1} workers`, () => told);
  return launch(program, {
    ...options,
    onEvent: [(event) => tell(JSON.stringify(event)), ...[onEvent].flat()],
    onLine(name, line) {
      tell(`${name}: ${line}`);
      onLine?.(name, line);
    },
  });
};
