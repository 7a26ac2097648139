#include "cbyteruns.h"
