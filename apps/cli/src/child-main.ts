import { endWithParent } from '@tutti/launch/internal';
import type { ChildArgument } from './cluster/child-command.js';
import { runProcess } from './run-process.js';

/** A command of Tutti in a process that ends with the one that started it. */
const { startedAs } = JSON.parse(process.argv[2]!) as ChildArgument;
endWithParent(process.exit.bind(process));
await runProcess(process.argv.slice(3), {
  ...(startedAs === undefined ? {} : { startedAs }),
  onJoined: () => process.connected && process.send?.('joined'),
});
