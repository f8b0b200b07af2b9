import {
  inspectSharing,
  resolveSharing,
  type SharingReport,
  sharingPicture,
} from '@tutti/parameters';
import { createOptimizer } from '@tutti/store';
import type { Computation, Program } from './program.js';

/** What the weights of a program are made of, and a picture of it. */
export function inspectProgram(
  { optimizer }: Pick<Program, 'optimizer'>,
  { parameters, sharing }: Computation,
): { readonly report: SharingReport; picture(title: string): string } {
  const { slots } = createOptimizer(optimizer);
  if (sharing !== undefined) {
    const report = sharing.inspect(slots);
    return { report, picture: (title) => sharing.picture(report, title) };
  }
  // A program of plain functions: its weights are what is stored.
  const plain = resolveSharing(parameters);
  const report = inspectSharing(plain, { roles: [], repeats: [], slots });
  return { report, picture: (title) => sharingPicture(plain, report, title) };
}
