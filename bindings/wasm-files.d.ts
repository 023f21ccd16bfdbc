/** What a bundle makes of a wasm file: its bytes as a data URL. */
declare module "*.wasm" {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: what bundlers make of a file has no name
  export default url;
}
