/** The operators of this family, each by its kind. */
export { bidirectionalLstm } from "./bidirectionalLstm.ts";
export { lstm } from "./lstm.ts";
export { bidirectionalRnn, rnn } from "./rnn.ts";
export { svdf } from "./svdf.ts";
