import { readFileSync } from 'node:fs';
import { type AddonOrigin, addonOrigin } from './addon-entry.js';
import { tfjsNodeFolder } from './paths.js';

/** Whether TensorFlow computes with oneDNN here, and whose choice that is. */
export interface OneDnnChoice {
  /** `user`: TF_ENABLE_ONEDNN_OPTS is set; `tutti`: switched on by us; `tensorflow`: left to it. */
  readonly by: 'user' | 'tutti' | 'tensorflow';
  /** What TF_ENABLE_ONEDNN_OPTS is, or becomes. */
  readonly setting: string | undefined;
  /** Why it was left to TensorFlow, which switches it on with AVX512_VNNI or better. */
  readonly reason?: string;
}

/**
 * By itself, TensorFlow uses oneDNN only where the processor has AVX512_VNNI or better; with AVX2 alone
 * convolutions take 30 to 40 % longer without it. But there it needs an addon that blocks signals
 * (signals-blocked.h).
 * @param features those of the processor, or undefined where the system does not tell
 */
export function chooseOneDnn(
  environment: Readonly<Record<string, string | undefined>>,
  features: ReadonlySet<string> | undefined,
  addon: AddonOrigin,
): OneDnnChoice {
  const set = environment.TF_ENABLE_ONEDNN_OPTS;
  if (set !== undefined) return { by: 'user', setting: set };
  const left = (reason: string): OneDnnChoice => ({ by: 'tensorflow', setting: set, reason });
  if (features === undefined) return left('the features of the processor are not told here');
  if (!features.has('avx2')) return left('the processor has no AVX2');
  if (addon === 'outdated') return left('the addon is of an older build');
  if (addon === 'foreign') return left('Tutti did not build the addon, which may take signals');
  return { by: 'tutti', setting: '1' };
}

/** What is chosen for this process. */
export function oneDnnHere(): OneDnnChoice {
  return chooseOneDnn(process.env, processorFeatures(), addonOrigin(tfjsNodeFolder()));
}

/** The flags of /proc/cpuinfo; undefined where there are none. */
export function processorFeatures(): ReadonlySet<string> | undefined {
  try {
    const flags = /^flags\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1];
    return flags === undefined ? undefined : new Set(flags.split(/\s+/));
  } catch {
    return undefined;
  }
}
