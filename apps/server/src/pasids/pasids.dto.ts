import { ArrayMaxSize, ArrayUnique, IsArray, IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from
  'class-validator';
import { type HwptFlag, hwptFlags, pathPortsMax, type ResetCause, resetCauses } from '@cadastre/lifecycle';
import { IsNested, IsNestedList } from '../http/validation.js';

/** Identifiers of iommufd objects have 32 bits. */
const objectIdMax = 0xffffffff;

/** As errno(3) spells it. */
const errnoPattern = /^E[A-Z0-9]{1,15}$/;

export class PathPortDto {
  @IsString()
  address!: string;

  @IsBoolean()
  endEndTlpPrefix!: boolean;
}

export class PasidPlatformDto {
  @IsInt() @Min(0) @Max(20)
  viommuSsidBits!: number;

  @IsNestedList(() => PathPortDto, pathPortsMax)
  ports!: PathPortDto[];
}

export class EnablePasidDto {
  /** What is left out is what the guest was granted. */
  @IsOptional() @IsInt() @Min(1) @Max(20)
  width?: number | null;

  @IsOptional() @IsBoolean()
  exec?: boolean | null;

  @IsOptional() @IsBoolean()
  priv?: boolean | null;

  @IsNested(() => PasidPlatformDto)
  platform!: PasidPlatformDto;
}

export class RequestedPageTableDto {
  @IsIn(['ioas', 'hwpt'])
  kind!: 'ioas' | 'hwpt';

  @IsInt() @Min(0) @Max(objectIdMax)
  ptId!: number;
}

export class AttachedPageTableDto {
  @IsInt() @Min(0) @Max(objectIdMax)
  ptId!: number;

  @IsArray() @ArrayUnique() @ArrayMaxSize(hwptFlags.length) @IsIn(hwptFlags, { each: true })
  hwptFlags!: HwptFlag[];

  @IsOptional() @IsInt() @Min(0) @Max(objectIdMax)
  faultId?: number | null;
}

export class AttachPasidDto {
  @IsNested(() => RequestedPageTableDto)
  requested!: RequestedPageTableDto;

  /** What came back; left out when it failed. */
  @IsOptional() @IsNested(() => AttachedPageTableDto)
  resulting?: AttachedPageTableDto | null;

  @IsOptional() @IsString() @Matches(errnoPattern)
  errno?: string | null;
}

export class DetachPasidDto {
  @IsOptional() @IsString() @Matches(errnoPattern)
  errno?: string | null;
}

export class ResetPasidsDto {
  @IsIn(resetCauses)
  cause!: ResetCause;
}
