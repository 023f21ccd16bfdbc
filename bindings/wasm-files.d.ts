/** What the bundle of pint8/inline makes of a wasm file: its bytes, deflated, in base64. */
declare module "*.wasm" {
  const deflated: string;
  // biome-ignore lint/style/noDefaultExport: what bundlers make of a file has no name
  export default deflated;
}
