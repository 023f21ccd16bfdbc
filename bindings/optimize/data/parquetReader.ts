/** What is needed of the reader of Parquet: of a module that is imported while a program runs, bundlers keep everything. */
export { parquetMetadataAsync, parquetReadObjects } from "hyparquet/src/index.js";
