// SPDX-License-Identifier: MIT
// Packages are plain JavaScript: what reads TypeScript need not look at them.
//
// It would search each for dynamic imports; in binaryen's 15 MB that takes 4 s of CPU. Imported after tsx: hooks that
// come later are asked first.

import { register } from "node:module";

register("./packages-load.js", import.meta.url);
