import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { main, root, setUp } from './setup.mjs';
import { needsTensorflow, startArguments } from './start-arguments.mjs';

await main(async () => {
  const given = process.argv.slice(2);
  await setUp({ native: needsTensorflow(given) });
  // Unnamed wait: a module of this machine, which is there only now.
  const { COMMANDS } = await import('@tutti/config');
  const args = startArguments(given, COMMANDS);
  const { bin } = JSON.parse(readFileSync(join(root, 'apps/cli/package.json'), 'utf8'));
  const cli = join(root, 'apps/cli', typeof bin === 'string' ? bin : bin.tutti);
  // In this process, so that exit codes, signals and the terminal are those of the program itself.
  process.argv = [process.execPath, cli, ...args];
  // Unnamed wait: it is the command itself.
  await import(pathToFileURL(cli));
});
