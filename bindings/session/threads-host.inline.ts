/** In place of `threads-host.ts` in the bundle of `pint8/inline`, which has no files for threads to start from. */
export const threadStarter = async (): Promise<undefined> => undefined;
