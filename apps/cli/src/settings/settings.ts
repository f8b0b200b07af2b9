import {
  type Command,
  findSettingsFile,
  type ResolvedSettings,
  resolveSettings,
  type SettingsFile,
} from '@tutti/config';
import type { CliContext } from '../process/context.js';

export type Flags = Readonly<Record<string, unknown>>;

/** The settings of a command: flags over environment over file over defaults. */
export async function settingsFor(
  command: Command,
  flags: Flags,
  { environment }: CliContext,
  programPath?: string,
): Promise<ResolvedSettings & { readonly file: SettingsFile | undefined }> {
  const { config, ...given } = flags;
  // Unnamed wait: a small file of this machine.
  const file = await findSettingsFile({
    config: (config as string | undefined) ?? environment.TUTTI_CONFIG,
    programPath,
  });
  return { ...resolveSettings({ flags: given, environment, file, command }), file };
}
