import { type Command as CommandName, DASHBOARD_PORT } from '@tutti/config';
import { errorToRecord, tuttiVersion } from '@tutti/runtime';
import { Command, CommanderError } from 'commander';
import type { CliContext } from './process/context.js';
import { DONE, exitCodeOf, stoppedCode, WRONG_USAGE } from './process/exit-codes.js';
import { isReported } from './process/reported.js';
import { addSettingOptions, allowedOf } from './settings/options.js';

/**
 * Runs the command line and returns its exit code: 0 done, 1 failed, 2 wrong usage, 128 and its number
 * if a signal stopped it.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const program = createProgram(context);
  try {
    // Unnamed wait: what it awaits names its own waits.
    await program.parseAsync(args, { from: 'user' });
    return context.signal.aborted ? stoppedCode(context) : DONE;
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, program, args, context);
    if (!isReported(error)) tell(error, context);
    return exitCodeOf(error, context);
  }
}

function createProgram(context: CliContext): Command {
  const program = new Command('tutti')
    .description('Train one model with many processes, exactly: everyone plays.')
    .version(tuttiVersion())
    .helpCommand('help [command]', 'show the options of a command');
  const add = (name: CommandName, usage: string, description: string, examples: string[]) => {
    const command = program
      .command(usage)
      .description(description)
      .addHelpText('after', `\nExamples:\n${examples.map((line) => `  $ ${line}\n`).join('')}`);
    addSettingOptions(command, name);
    return command;
  };
  /** Each command loads what it needs: a server is small, and stays so. */
  const lazily =
    <Given extends unknown[]>(
      load: () => Promise<(...given: [...Given, CliContext]) => Promise<void>>,
    ) =>
    async (...given: [...Given, Command]) => {
      // Unnamed wait: modules of this machine.
      const run = await load();
      // Unnamed wait: what it awaits names its own waits.
      await run(...(given.slice(0, -1) as Given), context);
    };

  add('train', 'train <program>', 'Train a program on this machine, with several processes.', [
    'tutti train program.ts --workers 4',
    'tutti train program.ts --workers 0 --steps 100   # one process: the same weights',
    'tutti train program.ts --json | tail -1 | jq .metrics.accuracy',
  ]).action(lazily(async () => (await import('./commands/train.js')).train));
  add('coordinator', 'coordinator', 'Coordinate a job whose workers are started elsewhere.', [
    'tutti coordinator --workers 2 --listen tcp://10.0.0.5:29500 --key-file job.key',
    'tutti coordinator --workers 2 --server-addresses tcp://10.0.0.6:7001,tcp://10.0.0.7:7001',
  ]).action(lazily(async () => (await import('./commands/coordinator.js')).coordinator));
  add('server', 'server', 'Run one parameter server for a coordinator elsewhere.', [
    'tutti server --listen tcp://10.0.0.6:7001 --key-file job.key',
  ]).action(lazily(async () => (await import('./commands/server.js')).server));
  add('worker', 'worker <program>', 'Run one worker for a coordinator elsewhere.', [
    'tutti worker program.ts --coordinator tcp://10.0.0.5:29500 --key-file job.key',
    'MASTER_ADDR=10.0.0.5 RANK=1 tutti worker program.ts',
  ]).action(lazily(async () => (await import('./commands/worker.js')).worker));
  add(
    'node',
    'node <program>',
    'Be one rank of a job: the same command on every one of a launcher.',
    [
      'srun tutti node program.ts',
      'MASTER_ADDR=n1 mpirun -x MASTER_ADDR -H n1,n2 tutti node program.ts',
      'torchrun --no-python --nnodes 2 --rdzv-endpoint n1:29400 tutti node program.ts',
      'tutti node program.ts --rank 1 --workers 2 --coordinator tcp://10.0.0.5:29500',
    ],
  ).action(lazily(async () => (await import('./commands/node.js')).node));
  add('launch', 'launch <program>', 'Start a job on several hosts over ssh.', [
    'tutti launch --hosts n1,n2:2 program.ts',
    'tutti launch --hostfile hosts program.ts --ssh "ssh -i key"',
  ]).action(lazily(async () => (await import('./commands/launch.js')).launch));
  // What it starts on each of them.
  program
    .command('agent', { hidden: true })
    .action(async () => (await import('./commands/agent.js')).agent(context));
  add('eval', 'eval <program>', "Evaluate a checkpoint on the program's evaluation set.", [
    'tutti eval program.ts',
    'tutti eval program.ts --checkpoint tutti-runs/program/run-0001/step-000004690 --json',
  ]).action(lazily(async () => (await import('./commands/eval.js')).evaluate));
  add('replay', 'replay <program>', 'Compute steps of a run again, and compare the bits.', [
    'tutti replay program.ts --steps 100..110',
    'tutti replay program.ts --checkpoint tutti-runs/program/run-0001/step-000000099 --json',
  ])
    .option(
      '--steps <first..last>',
      'the steps, from 1 (default: all recorded after the checkpoint)',
    )
    .action(lazily(async () => (await import('./commands/replay.js')).replay));
  add('export', 'export <program>', 'Write a checkpoint as files that other tools load.', [
    'tutti export program.ts --output model',
    'tutti export program.ts --format safetensors',
    'tutti export program.ts --format tutti --quantize int8   # for browsers and devices',
  ]).action(lazily(async () => (await import('./commands/export.js')).exportModel));
  add(
    'compress',
    'compress <program>',
    'Train a program smaller, down to a file for browsers and devices.',
    [
      'tutti compress program.ts --keep dense_1=0.04,conv2d_2=0.25 --max-bytes 20000',
      'tutti compress program.ts --min-accuracy 0.99 --epochs 1 --output model.tutti',
    ],
  ).action(lazily(async () => (await import('./commands/compress.js')).compress));
  add('inspect', 'inspect <program>', 'Show what the weights are made of, and what that costs.', [
    'tutti inspect program.ts',
    'tutti inspect program.ts --plot pattern.svg   # which stored value each weight reads',
    'tutti inspect program.ts --json | jq .stored',
  ]).action(lazily(async () => (await import('./commands/inspect.js')).inspect));
  add(
    'status',
    'status',
    'Ask the coordinator of a running job how it is doing, and who is waited for.',
    [
      'tutti status --coordinator tcp://10.0.0.5:29500 --key-file job.key',
      'tutti status --coordinator tcp://127.0.0.1:41233 --watch',
      'tutti status --json | jq -r .waits[0].who',
    ],
  ).action(lazily(async () => (await import('./commands/status.js')).status));
  add(
    'dashboard',
    'dashboard [run]',
    'Show a run on a page of this machine: one that runs, or one that is over.',
    [
      'tutti dashboard --coordinator tcp://10.0.0.5:29500',
      'tutti dashboard tutti-runs/program/run-0001',
      'tutti dashboard --port 8080   # and Prometheus finds it at /metrics',
    ],
  )
    .option('--port <port>', `port of the page (default: ${DASHBOARD_PORT}, or a free one)`)
    .action(lazily(async () => (await import('./commands/dashboard.js')).dashboard));
  add('keys', 'keys <file>', 'Make the key of a job: all of its processes get the same one.', [
    'tutti keys job.key',
    'TUTTI_KEY_FILE=job.key tutti coordinator --listen tcp://10.0.0.5:29500',
  ]).action(lazily(async () => (await import('./commands/keys.js')).keys));
  add('setup', 'setup', 'Set up native TensorFlow for this project: download it, or build it.', [
    'tutti setup',
    'TUTTI_CACHE=/opt/tutti tutti setup   # in a folder that other users may read',
  ]).action(lazily(async () => (await import('./commands/setup.js')).setup));
  add('doctor', 'doctor', 'Check this machine: TensorFlow, CPU, memory, ports, versions.', [
    'tutti doctor',
  ]).action(lazily(async () => (await import('./commands/doctor.js')).doctor));

  program.addHelpText(
    'after',
    `
Settings come from flags, else the environment (TUTTI_BATCH_SIZE; coordinator and worker also take
MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE), else the settings file, else the program.
Exit codes: 0 done, 1 failed, 2 wrong usage; stopped: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.`,
  );
  for (const command of [program, ...program.commands]) {
    command
      .exitOverride()
      .showSuggestionAfterError(true)
      .configureHelp({ sortSubcommands: false })
      .configureOutput({
        writeOut: (text) => context.stdout.write(text),
        writeErr: (text) => context.stderr.write(text),
        getOutHelpWidth: () => context.stdout.columns ?? 100,
        // Told by usage(), in one line with a remedy.
        outputError: () => {},
      });
  }
  return program;
}

/** Commander has written help and version itself; of wrong usage it only says what. */
function usage(
  error: CommanderError,
  program: Command,
  args: readonly string[],
  { stderr }: CliContext,
): number {
  if (error.exitCode === 0) return DONE;
  const name = program.commands.some((known) => known.name() === args[0]) ? args[0] : undefined;
  const help = `See \`tutti ${name === undefined ? '' : `${name} `}--help\`.`;
  if (error.code === 'commander.help') return WRONG_USAGE;
  const said = error.message.replace(/^error: /, '').split('\n');
  const flag = /option '(--[a-z-]+)/.exec(said[0]!)?.[1];
  const allowed =
    error.code === 'commander.optionMissingArgument' && flag !== undefined && name !== undefined
      ? allowedOf(flag, name as CommandName)
      : undefined;
  const hint = said
    .slice(1)
    .join(' ')
    .replace(/^\(|\)$/g, '');
  const remedy = [allowed === undefined ? '' : `Give it ${allowed}.`, hint, help];
  stderr.write(`error: ${said[0]!.replace(/\.$/, '')}. ${remedy.filter(Boolean).join(' ')}\n`);
  return WRONG_USAGE;
}

/** One line for what went wrong and one for the remedy; the stack only where it says something. */
function tell(error: unknown, { stderr, environment }: CliContext): void {
  const { code, message, remedy, stack } = errorToRecord(error);
  if (code === 'ABORTED') return void stderr.write('stopped\n');
  const detailed = code === 'INTERNAL' || environment.TUTTI_LOG_LEVEL === 'debug';
  stderr.write(`error ${code}: ${message}\n  ${remedy}\n${detailed && stack ? `${stack}\n` : ''}`);
}
