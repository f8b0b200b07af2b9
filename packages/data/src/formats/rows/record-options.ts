import type { CsvSchema } from './csv-rows.js';

/** The keys of what columns mean, for readers of tables of all kinds. */
export const SCHEMA_KEYS: Readonly<Record<keyof CsvSchema, true>> = {
  label: true,
  columns: true,
  classes: true,
  categories: true,
  missing: true,
  scale: true,
  shape: true,
};
