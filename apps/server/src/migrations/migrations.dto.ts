import { IsOptional, IsString, Length, Matches } from 'class-validator';
import { VmmDto } from '../devices/attach-device.dto.js';
import { IsNamedByIds, IsNested } from '../http/validation.js';

/** Where a VM is to go. */
export class MigrationTargetDto {
  @IsString()
  host!: string;

  /** The VMM there; left out, that of each device. */
  @IsOptional() @IsNested(() => VmmDto)
  vmm?: VmmDto | null;

  /** The address of a function at the target for each attached device of the VM. */
  @IsNamedByIds()
  functions!: Record<string, unknown>;
}

export class PlanMigrationDto {
  @IsNested(() => MigrationTargetDto)
  target!: MigrationTargetDto;
}

export class AbortMigrationDto {
  @IsOptional() @IsString() @Length(1, 200) @Matches(/^\P{C}+$/u, { message: 'reason must be printable text' })
  reason?: string | null;
}
