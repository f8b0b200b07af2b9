import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, root, setUp } from './setup.mjs';
import { startArguments } from './start-arguments.mjs';

await main(async () => {
  const { args, native } = startArguments(process.argv.slice(2));
  await setUp({ native });
  const { bin } = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8'));
  const cli = join(root, 'apps/cli', typeof bin === 'string' ? bin : bin.tutti);
  // In this process, so that exit codes, signals and the terminal are those of the program itself.
  process.argv = [process.execPath, cli, ...args];
  // Unnamed wait: it is the command itself.
  await import(pathToFileURL(cli));
});
