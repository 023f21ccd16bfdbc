# npx workerd serve workerd.capnp, beside model.wasm and model.js; then, for one drawing of 28x28 bytes:
#   curl --data-binary @input.bin http://127.0.0.1:8787
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "digits", worker = .digits)],
  sockets = [(name = "http", address = "127.0.0.1:8787", http = (), service = "digits")]
);

const digits :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    (name = "model.js", esModule = embed "model.js"),
    (name = "model.wasm", wasm = embed "model.wasm"),
  ],
  compatibilityDate = "2025-01-01",
);
