/* SPDX-License-Identifier: Apache-2.0 */
#include "control/config/domain_data.h"

/*
 * The assembler finds the files beside the include paths, so the project's root must be one of
 * them. It reports no dependency on them: meson.build compiles a copy of this file that is renewed
 * with them.
 */
#define EMBED(symbol, file)                                         \
	__asm__(".pushsection .rodata\n"                            \
	        ".global " symbol ", " symbol "_end\n"              \
	        ".hidden " symbol ", " symbol "_end\n" symbol ":\n" \
	        ".incbin \"" file "\"\n" symbol "_end:\n"           \
	        ".byte 0\n"                                         \
	        ".popsection\n")

EMBED("esf_energy_yaml", "configs/domains/energy.yaml");
EMBED("esf_manufacturing_yaml", "configs/domains/manufacturing.yaml");
EMBED("esf_logistics_yaml", "configs/domains/logistics.yaml");
