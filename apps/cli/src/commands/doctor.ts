import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { mostOpenFiles, TuttiError, tuttiVersion } from '@tutti/runtime';
import {
  type OneDnnChoice,
  oldDependencies,
  oneDnnHere,
  processorFeatures,
} from '@tutti/tensorflow-setup/internal';
import { type Check, type Finding, runCheck } from '../doctor/check.js';
import {
  checkKernels,
  checkLoopback,
  checkOldDependencies,
  checkTensorflow,
  checkVersions,
} from '../doctor/libraries.js';
import {
  checkCores,
  checkCpu,
  checkMemory,
  checkNode,
  checkOpenFiles,
  checkSharedMemory,
} from '../doctor/machine.js';
import { withOutput } from '../output/output.js';
import type { CliContext } from '../process/context.js';
import { monitorsOf } from '../process/monitors.js';
import { reported } from '../process/reported.js';
import { type Flags, settingsFor } from '../settings/settings.js';

/** `tutti doctor`: what this machine has, and what to fix. */
export async function doctor(flags: Flags, context: CliContext): Promise<void> {
  const { settings } = await settingsFor('doctor', flags, context);
  await withOutput(settings, context, async ({ renderer, result }) => {
    const { monitor } = monitorsOf(context, renderer);
    const checks: [string, Check][] = [
      ['versions', () => checkVersions(tuttiVersion(), process.versions)],
      ['node', () => checkNode(process.version)],
      [
        'cpu',
        () => checkCpu(processorFeatures(), cpus()[0]?.model ?? process.arch, oneDnnIfInstalled()),
      ],
      ['cores', () => checkCores(availableParallelism())],
      ['memory', () => checkMemory(process.availableMemory(), totalmem())],
      ['/dev/shm', async () => checkSharedMemory(await sizesOf('/dev/shm'))],
      ['open files', () => checkOpenFiles(mostOpenFiles())],
      ['kernels', checkKernels],
      ['loopback', checkLoopback],
      ['tensorflow', () => checkTensorflow(context.signal)],
      // Unnamed wait: the caller races it.
      ['overrides', async () => checkOldDependencies(await oldDependencies())],
    ];
    const findings: Finding[] = [];
    for (const [name, check] of checks) {
      const finding = await monitor.race(runCheck(name, check), {
        who: `the check of ${name}`,
        what: 'end',
        remedy: 'It takes long or hangs: see what its part of the machine does.',
      });
      findings.push(finding);
      result({ event: 'check', ...finding }, lineOf(finding));
    }
    const failed = findings.filter(({ status }) => status === 'fail').map(({ name }) => name);
    const warned = findings.filter(({ status }) => status === 'warn').length;
    const verdict = failed.length > 0 ? 'fail' : warned > 0 ? 'warn' : 'ok';
    result(
      { event: 'finished', status: verdict, failed, warnings: warned },
      verdict === 'fail'
        ? `\nTo be fixed: ${failed.join(', ')}.`
        : `\nReady to train${warned > 0 ? ', with warnings' : ''}.`,
    );
    if (failed.length > 0) {
      throw reported(
        new TuttiError('INTERNAL', `${failed.join(', ')} failed`, {
          remedy: 'See the lines above.',
        }),
      );
    }
  });
}

const INDENT = '\n                  ';

function lineOf({ name, status, found, fix }: Finding): string {
  const line = `${status.padEnd(4)}  ${name.padEnd(10)}  ${found.replaceAll('\n', INDENT)}`;
  return fix === undefined ? line : `${line}${INDENT}${fix.replaceAll('\n', INDENT)}`;
}

function oneDnnIfInstalled(): OneDnnChoice | undefined {
  try {
    return oneDnnHere();
  } catch {
    // The check of TensorFlow says so.
    return undefined;
  }
}

async function sizesOf(path: string) {
  // Unnamed wait: the caller races it.
  const sizes = await statfs(path).catch(() => undefined);
  if (sizes === undefined) return undefined;
  const { bavail, blocks, bsize } = sizes;
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
