import { parseArgs } from 'node:util';
import { createProject, UsageError } from './create-project.js';

const USAGE = `npm create tutti <folder>

Makes a project in a new folder: a program that trains a model, its data, a test.
`;

try {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) process.stdout.write(USAGE);
  else {
    const [folder] = positionals;
    if (folder === undefined || positionals.length > 1)
      throw new UsageError('Name one new folder: `npm create tutti my-training`.');
    await createProject(folder);
    const enter = /^\.\/?$/.test(folder)
      ? ''
      : `  cd ${/\s/.test(folder) ? `'${folder}'` : folder}\n`;
    process.stdout.write(`${folder} is ready. Now:

${enter}  npm install
  npx tutti train program.ts --dashboard

program.ts says what is trained. README.md says what else there is.
`);
  }
} catch (error) {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const isUnknownOption = code?.startsWith('ERR_PARSE_ARGS') === true;
  const mistaken = isUnknownOption || error instanceof UsageError;
  // Node goes on about positional arguments that begin with a dash.
  const told = isUnknownOption ? `${message.replace(/\. .*$/s, '')}. See --help.` : message;
  process.stderr.write(`error: ${mistaken ? told : stack}\n`);
  process.exitCode = mistaken ? 2 : 1;
}
