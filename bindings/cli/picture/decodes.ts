/** What tells the program that it is a thread that decodes pictures. */
export const DECODES = "pint8 decodes pictures";
